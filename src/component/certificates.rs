//! The certificates of a handle: their fields by flattened names, and the recipients' certificates.

use super::Component;
use super::rows::Family;
use crate::certs::{self, Certificate};
use crate::error::Result;

impl Component {
    /// Changes one field of a certificate in the state. Searching a store opens files, so the state is not locked meanwhile.
    pub(super) fn change_certificate(
        &self,
        family: Family,
        change: &dyn Fn(&mut Certificate) -> Result<()>,
    ) -> Result<()> {
        let _one_at_a_time = self.selecting.lock();
        let mut certificate = family.of(&self.state.lock()).clone();
        change(&mut certificate)?;
        *family.of_mut(&mut self.state.lock()) = certificate;
        Ok(())
    }

    /// No recipients means no certificates of theirs either (ruling 23).
    pub(super) fn write_message_recipient_count(&self, count: i32) -> Result<()> {
        let mut state = self.state.lock();
        state.message.set_message_recipient_count(count)?;
        if count == 0 {
            state.smime.recipient_certs.clear();
        }
        Ok(())
    }

    /// Adds a certificate that Encrypt encrypts for: DER, PEM or Base64, else error 272.
    pub fn add_recipient_cert(&self, encoded: &[u8]) -> Result<()> {
        let certificate = certs::recipient(encoded)?;
        self.state.lock().smime.recipient_certs.push(certificate);
        Ok(())
    }
}
