//! Messages that somebody took apart and put together differently: every octet may be as its maker wrote it, and still they lie.

use crate::bench::{certificate, content, openssl, pair, path, run, signer};
use ssmtp::certs::der::{self, Reader};
use ssmtp::certs::spki::PublicKey;
use ssmtp::certs::x509::X509;
use ssmtp::error::Code;
use ssmtp::smime::{Cipher, Detail, EncryptSpec, Envelope, Hash, Opaque, decrypt, verify};
use std::sync::Arc;

/// DER as a tree that can be changed: lengths are worked out when it is written.
#[derive(Clone)]
enum Node {
    Leaf(u8, Vec<u8>),
    Tree(u8, Vec<Node>),
}

impl Node {
    fn read(bytes: &[u8]) -> Node {
        let value = Reader::new(bytes).value().unwrap();
        if value.tag & 0x20 == 0 {
            return Node::Leaf(value.tag, value.content.to_vec());
        }
        let (mut inner, mut nodes) = (Reader::new(value.content), Vec::new());
        while !inner.is_empty() {
            nodes.push(Node::read(inner.value().unwrap().whole));
        }
        Node::Tree(value.tag, nodes)
    }

    fn write(&self) -> Vec<u8> {
        match self {
            Node::Leaf(tag, content) => der::wrap(*tag, &[content]),
            Node::Tree(tag, nodes) => der::wrap(*tag, &[&nodes.iter().flat_map(Node::write).collect::<Vec<u8>>()]),
        }
    }

    /// The node at the end of a path of positions.
    fn at(&mut self, path: &[usize]) -> &mut Node {
        path.iter().fold(self, |node, at| match node {
            Node::Tree(_, nodes) => &mut nodes[*at],
            Node::Leaf(..) => panic!("a leaf has no nodes"),
        })
    }

    fn nodes(&mut self) -> &mut Vec<Node> {
        match self {
            Node::Tree(_, nodes) => nodes,
            Node::Leaf(..) => panic!("a leaf has no nodes"),
        }
    }
}

fn signed(name: &str) -> Node {
    Node::read(&run(Opaque::new(&signer(name, Hash::Sha256), Some(200)).unwrap(), &content(200), 200))
}

fn encrypted(name: &str, cipher: Cipher) -> Node {
    let spec = EncryptSpec { recipients: vec![certificate(name)], cipher, oaep: None, use_ski: false };
    Node::read(&run(Envelope::new(&spec, Some(200)).unwrap(), &content(200), 200))
}

/// The certificate with another public key; nobody looks at its signature here.
fn with_key(certificate: &X509, key: &[u8]) -> X509 {
    let mut node = Node::read(certificate.der());
    let tbs = node.at(&[0]).nodes();
    let at = tbs.iter().position(|one| one.write() == certificate.public_key().der()).unwrap();
    tbs[at] = Node::read(key);
    X509::from_der(&node.write()).unwrap()
}

/// A signature is over the attributes where there are any. Without them the same octets could pass for its content.
#[test]
fn attributes_are_not_passed_off_as_content() {
    for name in ["rsa", "p256", "ed25519"] {
        let mut cms = signed(name);
        verify(&cms.write(), &Detail::default()).unwrap();
        let data = [1, 0];
        let signer = cms.at(&data).at(&[4, 0]).nodes();
        let Node::Tree(0xa0, attributes) = signer.remove(3) else { panic!("attributes stand fourth") };
        let set = Node::Tree(der::SET, attributes).write();
        *cms.at(&data).at(&[2, 1, 0]) = Node::Leaf(der::OCTET_STRING, set);
        let refused = verify(&cms.write(), &Detail::default()).unwrap_err();
        assert_eq!(refused.code, Code::Decrypt);
        assert!(refused.message.contains("attributes"), "{refused}");
    }
}

#[test]
fn a_namesake_of_the_signers_certificate_does_not_hide_it() {
    let real = certificate("rsa");
    let namesake = Arc::new(with_key(&real, certificate("rsa1024").public_key().der()));
    let curve = Arc::new(with_key(&real, certificate("p256").public_key().der()));
    let mut bare = signed("rsa");
    bare.at(&[1, 0]).nodes().remove(3);
    let cms = bare.write();
    for known in [vec![namesake.clone(), curve.clone(), real.clone()], vec![real.clone(), namesake.clone()]] {
        let found = verify(&cms, &Detail { certificates: &known, ..Detail::default() }).unwrap();
        assert_eq!(found.signers[0].certificate, real);
    }
    assert!(verify(&cms, &Detail { certificates: &[namesake, curve], ..Detail::default() }).is_err());
}

#[test]
fn a_tag_of_gcm_that_was_cut_is_refused() {
    let keys = [pair("p256")];
    for length in 0..=16 {
        let mut cms = encrypted("p256", Cipher::AesGcm256);
        let Node::Leaf(_, tag) = cms.at(&[1, 0, 3]) else { panic!("the tag stands last") };
        tag.truncate(length);
        assert_eq!(decrypt(&cms.write(), &keys).is_ok(), length == 16, "{length}");
        // And announced as short as it is: never below what RFC 5084 has.
        *cms.at(&[1, 0, 2, 1, 1, 1]) = Node::read(&der::integer(&[length as u8]));
        assert_eq!(decrypt(&cms.write(), &keys).is_ok(), length >= 12, "{length}");
    }
}

#[test]
fn a_cipher_of_the_other_kind_is_refused() {
    let keys = [pair("rsa")];
    // The tag left out, and the key and what it encrypted given to CBC: the way to read GCM without its tag.
    let mut cms = encrypted("rsa", Cipher::AesGcm128);
    cms.at(&[1, 0]).nodes().pop();
    *cms.at(&[0]) = encrypted("rsa", Cipher::AesCbc128).at(&[0]).clone();
    assert!(decrypt(&cms.write(), &keys).unwrap_err().message.contains("do not belong together"));
    let mut cms = encrypted("rsa", Cipher::AesCbc128);
    cms.at(&[1, 0]).nodes().push(Node::Leaf(der::OCTET_STRING, vec![0; 16]));
    *cms.at(&[0]) = encrypted("rsa", Cipher::AesGcm128).at(&[0]).clone();
    assert!(decrypt(&cms.write(), &keys).unwrap_err().message.contains("do not belong together"));
}

/// RFC 5753 lets a sender write his point in its short form, and a certificate may have it so.
#[test]
fn compressed_points_are_points() {
    let short = |point: &[u8]| {
        let half = (point.len() - 1) / 2;
        [&[2 | (point[2 * half] & 1)][..], &point[1..=half]].concat()
    };
    for name in ["p256", "p384", "p521"] {
        let (certificate, key) = pair(name);
        let mut cms = encrypted(name, Cipher::AesCbc256);
        let Node::Leaf(der::BIT_STRING, bits) = cms.at(&[1, 0, 1, 0, 1, 0, 1]) else { panic!("a point stands there") };
        *bits = [&[0][..], &short(&bits[1..])].concat();
        assert_eq!(decrypt(&cms.write(), &[(certificate.clone(), key.clone())]).unwrap(), content(200), "{name}");
        let Node::Leaf(_, bits) = cms.at(&[1, 0, 1, 0, 1, 0, 1]) else { unreachable!() };
        bits.truncate(3);
        assert!(decrypt(&cms.write(), &[(certificate.clone(), key.clone())]).is_err());

        let mut public = Node::read(certificate.public_key().der());
        let Node::Leaf(der::BIT_STRING, bits) = public.at(&[1]) else { panic!("a point stands there") };
        *bits = [&[0][..], &short(&bits[1..])].concat();
        let public = PublicKey::from_der(&public.write()).unwrap();
        assert!(public.same_key(certificate.public_key()) && certificate.public_key().same_key(&public));
        let compressed = with_key(&certificate, public.der());
        assert!(key.belongs_to(&compressed));
        assert!(!pair("ed25519").1.belongs_to(&compressed));
    }
}

/// Each would be looked up, hashed or tried: a message says how much work it makes, so there is an end to it.
#[test]
fn more_of_anything_than_a_message_has_is_refused() {
    let repeated = |cms: &Node, path: &[usize], times: usize| {
        let mut cms = cms.clone();
        let nodes = cms.at(path).nodes();
        let one = nodes[0].clone();
        nodes.resize(times, one);
        cms.write()
    };
    let message = signed("p256");
    for (path, most, what) in [(&[1, 0, 4], 32, "signatures"), (&[1, 0, 3], 1000, "certificates")] {
        assert!(verify(&repeated(&message, path, most), &Detail::default()).is_ok(), "{what}");
        let refused = verify(&repeated(&message, path, most + 1), &Detail::default()).unwrap_err();
        assert!(refused.message.contains(what), "{refused}");
    }
    let message = encrypted("p256", Cipher::AesCbc256);
    assert!(decrypt(&repeated(&message, &[1, 0, 1], 10_000), &[pair("p256")]).is_ok());
    let refused = decrypt(&repeated(&message, &[1, 0, 1], 10_001), &[pair("p256")]).unwrap_err();
    assert!(refused.message.contains("recipients"), "{refused}");
}

#[test]
fn a_curve_that_is_not_supported_is_named_as_the_reason() {
    let key = format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out {}", path("k1.key"));
    openssl(&key).unwrap();
    let public = openssl(&format!("pkey -in {} -pubout -outform DER", path("k1.key"))).unwrap();
    let other = with_key(&certificate("p256"), &public);
    let spec = EncryptSpec { recipients: vec![Arc::new(other)], cipher: Cipher::AesCbc256, oaep: None, use_ski: false };
    let refused = Envelope::new(&spec, None).err().expect("refused");
    assert_eq!(refused.code, Code::Encrypt);
    assert!(refused.message.contains("curve"), "{refused}");
}
