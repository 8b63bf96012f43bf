//! What a certificate says of itself, as openssl reads it.

use super::*;

const ALL: [&str; 9] =
    ["rsa.crt", "ca.crt", "p256.crt", "p384.crt", "p521.crt", "ed25519.crt", "ed448.crt", "dsa.crt", "pss.crt"];

#[test]
fn hashes_serial_and_key_are_what_openssl_says() {
    for name in ALL {
        let (found, pem) = (certificate(name), file(name));
        let x509 =
            |arguments: &[&str]| openssl(&[&["x509", "-noout"][..], arguments].concat(), &pem).trim_end().to_owned();
        for (hash, thumbprint, fingerprint) in [
            ("-md5", found.thumbprint_md5(), found.fingerprint()),
            ("-sha1", found.thumbprint_sha1(), found.fingerprint_sha1()),
            ("-sha256", found.thumbprint_sha256(), found.fingerprint_sha256()),
        ] {
            let said = x509(&["-fingerprint", hash]);
            let said = said.split_once('=').unwrap().1;
            assert_eq!(thumbprint, said.replace(':', ""), "{name} {hash}");
            assert_eq!(fingerprint, said.to_lowercase(), "{name} {hash}");
        }
        assert_eq!(found.serial_number(), x509(&["-serial"]).strip_prefix("serial=").unwrap(), "{name}");
        assert_eq!(found.public_key().trim_end(), x509(&["-pubkey"]), "{name}");
        assert_eq!(found.encoded().trim_end(), String::from_utf8(pem.clone()).unwrap().trim_end(), "{name}");
        // openssl alone writes dsa_with_SHA256.
        let text = openssl(&["x509", "-noout", "-text"], &pem).replace("dsa_with_", "dsa-with-");
        assert!(
            text.to_lowercase()
                .contains(&format!("signature algorithm: {}", found.signature_algorithm().to_lowercase())),
            "{name}"
        );
        let bits =
            text.split_once("Public-Key: (").map(|(_, rest)| rest.split_once(' ').unwrap().0.parse::<i32>().unwrap());
        assert_eq!(found.public_key_length(), bits.unwrap_or(if name == "ed448.crt" { 456 } else { 256 }), "{name}");
        assert_eq!(
            found.version(),
            format!("V{}", text.split_once("Version: ").unwrap().1.split_once(' ').unwrap().0),
            "{name}"
        );
    }
}

#[test]
fn dates_are_what_openssl_says_and_shown_in_local_time() {
    for name in ALL {
        let found = certificate(name);
        let said = openssl(&["x509", "-noout", "-dates"], &file(name));
        for (label, ours) in [("notBefore=", found.effective_date(|_| 0)), ("notAfter=", found.expiration_date(|_| 0))]
        {
            // "Nov 22 03:30:00 2026 GMT"
            let line = said.lines().find_map(|l| l.strip_prefix(label)).unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(ours, format!("{:0>2}-{}-{} {}", words[1], words[0], words[3], words[2]), "{name}");
        }
    }
    let found = certificate("rsa.crt");
    assert_ne!(found.effective_date(|_| 0), found.effective_date(|_| 3600));
}

#[test]
fn names_are_in_rfc_4514_order_with_the_letters_of_the_specification() {
    let found = certificate("rsa.crt");
    let expected = "0.9.2342.19200300.100.1.25=example, E=ann@example.com, CN=\"Leaf, Example\", OU=B + OU=A, O=Example, L=München, S=Bavaria, C=DE";
    // A SET is ordered by its octets, so A comes before B.
    assert_eq!(found.subject(), expected.replace("OU=B + OU=A", "OU=A + OU=B"));
    assert_eq!(found.issuer(), "CN=\"Root \\\"One\\\"\", O=\"Test, Inc.\", C=DE");
    for name in ["p256.crt", "ed448.crt"] {
        let found = certificate(name);
        let said = openssl(&["x509", "-noout", "-subject", "-nameopt", "RFC2253,sep_comma_plus_space"], &file(name));
        assert_eq!(found.subject(), said.trim_end().strip_prefix("subject=").unwrap());
    }
}

#[test]
fn usages_and_alternative_names_are_read() {
    let found = certificate("rsa.crt");
    assert_eq!(found.usage_flags(), 0xf0);
    assert_eq!(found.usage(), "Digital Signatures,Key Authentication,Key Encryption,Data Encryption");
    assert_eq!(found.extended_key_usage(), "1.3.6.1.5.5.7.3.4,1.3.6.1.5.5.7.3.2,1.2.3.4");
    assert_eq!(
        found.subject_alt_names(),
        "mail.example.com,ann@example.com,192.0.2.1,2001:db8::1,https://example.com/,1.2.3.4,CN=Other,jörg@example.com"
    );
    assert_eq!(
        found.certificate.as_ref().unwrap().emails(),
        ["ann@example.com", "ann@example.com", "jörg@example.com"]
    );
    let root = certificate("ca.crt");
    assert_eq!((root.usage_flags(), root.usage().as_str()), (0x06, "Certificate Signing,Key Signing"));
    assert_eq!((root.extended_key_usage().as_str(), root.subject_alt_names().as_str()), ("", ""));
    assert!(root.certificate.unwrap().is_ca());
}

#[test]
fn algorithms_have_the_names_of_the_rulings() {
    for (name, algorithm) in
        [("rsa", "RSA"), ("p521", "EC"), ("ed25519", "Ed25519"), ("ed448", "Ed448"), ("dsa", "DSA")]
    {
        assert_eq!(certificate(&format!("{name}.crt")).public_key_algorithm(), algorithm);
    }
}

#[test]
fn a_certificate_in_der_is_the_same_as_in_pem() {
    assert_eq!(certificate("rsa.der").encoded(), certificate("rsa.crt").encoded());
    assert_eq!(certificate("rsa.der").encoded_b(), file("rsa.der"));
}
