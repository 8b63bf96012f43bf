//! A store that Bouncy Castle wrote through keytool.

use super::{file, read, refuses, same_key};
use crate::certs::source::open;
use crate::enums::CertStoreType as T;

#[test]
fn bouncy_castles_stores_are_read() {
    let types = (T::BcfksFile, T::BcfksBlob);
    let found = read(types, "store.bcfks", "secret");
    assert_eq!(found.len(), 3);
    let leaf = found.iter().find(|e| e.public_key_algorithm() == "RSA").unwrap();
    same_key(leaf, "rsa.p8");
    assert_eq!(leaf.certificate.as_ref().unwrap().der(), file("rsa.der"));
    let leaf = found.select(leaf.subject()).unwrap();
    assert_eq!(leaf.chain.len(), 1);
    let other = found.select("CN=bouncy.example.com").unwrap();
    assert_eq!((other.public_key_length(), other.private_key_available()), (384, true));
    refuses(types, "store.bcfks", "wrong-word");
    refuses(types, "store.bcfks", "");
    // Changed, it is as good as another password's; cut, it is broken.
    let whole = file("store.bcfks");
    for at in [150, 2000, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let error = open(T::BcfksBlob, &changed, "secret").unwrap_err();
        assert!(error.message.contains("password is wrong"), "{at} {error}");
    }
    for end in (1..whole.len()).step_by(97) {
        assert!(open(T::BcfksBlob, &whole[..end], "secret").is_err());
    }
}
