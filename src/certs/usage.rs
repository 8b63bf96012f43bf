//! What the certificates of a chain must be for. One type for all who ask webpki, since its search for a path is compiled for each.

use webpki::{Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage};

/// The demand on every certificate of a chain.
pub struct Usage(Option<KeyUsage>);

impl Usage {
    /// A purpose, by the content of its object identifier, that each certificate has or leaves open.
    pub const fn of(purpose: &'static [u8]) -> Usage {
        Usage(Some(KeyUsage::required_if_present(purpose)))
    }

    /// Any: the question is answered elsewhere.
    pub const fn any() -> Usage {
        Usage(None)
    }
}

impl ExtendedKeyUsageValidator for Usage {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        self.0.map_or(Ok(()), |usage| usage.validate(purposes))
    }
}
