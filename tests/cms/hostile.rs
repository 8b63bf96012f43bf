//! Damaged, cut and invented messages: refused without a panic, and never half read.

use crate::bench::{certificate, content, pair, run, signer};
use proptest::prelude::*;
use ssmtp::error::Code;
use ssmtp::smime::{Cipher, Detached, Detail, EncryptSpec, Envelope, Hash, Opaque, decrypt, is_enveloped, verify};
use std::sync::OnceLock;

/// Encrypted messages, and who reads them.
fn encrypted() -> &'static [(&'static str, Cipher, Vec<u8>)] {
    static MADE: OnceLock<Vec<(&'static str, Cipher, Vec<u8>)>> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut all = Vec::new();
        for name in ["rsa1024", "p256", "x25519"] {
            for cipher in [Cipher::AesCbc256, Cipher::AesGcm256] {
                for told in [None, Some(200)] {
                    let spec = EncryptSpec { recipients: vec![certificate(name)], cipher, oaep: None, use_ski: false };
                    all.push((name, cipher, run(Envelope::new(&spec, told).unwrap(), &content(200), 200)));
                }
            }
        }
        all
    })
}

fn signed() -> &'static [Vec<u8>] {
    static MADE: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    MADE.get_or_init(|| {
        let forms = |name: &str| {
            let spec = signer(name, Hash::Sha256);
            [None, Some(200)].map(|told| run(Opaque::new(&spec, told).unwrap(), &content(200), 200))
        };
        ["rsa1024", "p256", "ed25519"].into_iter().flat_map(forms).collect()
    })
}

#[test]
fn gcm_messages_with_one_bit_changed_in_content_tag_or_key_are_refused() {
    for (name, cipher, cms) in encrypted().iter().filter(|(_, cipher, _)| cipher.is_aead()) {
        // From the wrapped key to the end.
        for at in cms.len() - 218..cms.len() {
            let mut bad = cms.clone();
            bad[at] ^= 0x10;
            if let Ok(plain) = decrypt(&bad, &[pair(name)]) {
                // A changed end of the BER frame; the content itself is whole.
                assert!(plain == content(200), "{name} {} at {at}", cipher.name());
                panic!("{name} {} at {at}: taken", cipher.name());
            }
        }
    }
}

#[test]
fn every_cut_is_refused() {
    for (name, _, cms) in encrypted() {
        for end in 0..cms.len() {
            assert_eq!(decrypt(&cms[..end], &[pair(name)]).unwrap_err().code, Code::Decrypt, "{name} cut at {end}");
            is_enveloped(&cms[..end]);
        }
    }
    for cms in signed() {
        for end in 0..cms.len() {
            assert_eq!(verify(&cms[..end], &Detail::default()).unwrap_err().code, Code::Decrypt, "cut at {end}");
        }
    }
}

/// Every octet of a signed message counts but those of the certificate's own signature (chains are not looked at here) and of numbers
/// of versions: nothing that is taken has other content, hash, time or signer.
#[test]
fn what_a_changed_octet_leaves_valid_says_the_same() {
    for cms in signed() {
        let whole = verify(cms, &Detail::default()).unwrap();
        for at in 0..cms.len() {
            let mut bad = cms.clone();
            bad[at] ^= 0x04;
            if let Ok(found) = verify(&bad, &Detail::default()) {
                assert_eq!(found.content, whole.content, "at {at}");
                assert_eq!(found.signers[0].time, whole.signers[0].time);
                let [one, other] = [&found, &whole].map(|v| v.signers[0].certificate.public_key());
                assert!(one.same_key(other), "at {at}");
            }
        }
    }
}

#[test]
fn a_signature_of_other_content_or_without_content_is_refused() {
    let mut made = Detached::new(&signer("p256", Hash::Sha256)).unwrap();
    made.update(b"this");
    let cms = made.finish().unwrap();
    verify(&cms, &Detail { content: Some(b"this"), ..Detail::default() }).unwrap();
    assert!(verify(&cms, &Detail { content: Some(b"that"), ..Detail::default() }).is_err());
    assert!(verify(&cms, &Detail::default()).is_err());
    // Content inside and other content beside it.
    let inside = run(Opaque::new(&signer("p256", Hash::Sha256), None).unwrap(), b"this", 4);
    assert!(verify(&inside, &Detail { content: Some(b"that"), ..Detail::default() }).is_err());
}

#[test]
fn what_is_no_message_is_refused() {
    for bytes in [&b""[..], b"\x30", b"\x30\x80", b"\x30\x00", b"hello", &[0x30; 4000], &[0xff; 100]] {
        assert_eq!(decrypt(bytes, &[pair("p256")]).unwrap_err().code, Code::Decrypt);
        assert_eq!(verify(bytes, &Detail::default()).unwrap_err().code, Code::Decrypt);
        assert!(!is_enveloped(bytes));
    }
    // Ten thousand levels, whose reader would have no stack left if it called itself for each.
    for level in [&b"\x30\x80"[..], b"\xa0\x80", b"\x24\x80", b"\x31\x80"] {
        for start in [&b""[..], &signed()[0][..4], &encrypted()[0].2[..4]] {
            let deep = [start, &level.repeat(10_000)].concat();
            assert_eq!(decrypt(&deep, &[pair("p256")]).unwrap_err().code, Code::Decrypt);
            assert_eq!(verify(&deep, &Detail::default()).unwrap_err().code, Code::Decrypt);
        }
    }
    // A length of 2^63, and of more octets than there are lengths.
    for head in
        [&b"\x30\x88\x80\0\0\0\0\0\0\0"[..], b"\x30\x8f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"]
    {
        assert!(decrypt(head, &[pair("p256")]).is_err() && verify(head, &Detail::default()).is_err());
    }
    // One kind for the other.
    assert!(verify(&encrypted()[0].2, &Detail::default()).is_err());
    assert!(decrypt(&signed()[0], &[pair("p256")]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_change_makes_a_panic(
        which in any::<prop::sample::Index>(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let change = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for (at, octet) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *octet;
            }
            bytes
        };
        let (name, _, cms) = &encrypted()[which.index(encrypted().len())];
        let _ = decrypt(&change(cms), &[pair(name)]);
        let _ = verify(&change(&signed()[which.index(signed().len())]), &Detail::default());
    }
}
