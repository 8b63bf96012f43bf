//! Digest of HTTP, as proxies ask for it: RFC 7616 with MD5 and SHA-256, `-sess` or not, qop `auth`, or none as RFC 2069 had
//! it. What parses and carries the header lines is elsewhere.

use crate::auth::{SecretBytes, crypto};
use crate::error::Result;
use crate::text::mask::Secret;
use ring::digest;
use zeroize::Zeroizing;

/// We ask once with a nonce.
const COUNT: &str = "00000001";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hash {
    Md5,
    Sha256,
}

impl Hash {
    /// In hexadecimal digits, as all of it is used.
    fn of(self, parts: &[&[u8]]) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Hash::Md5 => crypto::hex(&crypto::md5(parts)),
            Hash::Sha256 => {
                let mut hash = digest::Context::new(&digest::SHA256);
                for part in parts {
                    hash.update(part);
                }
                crypto::hex(hash.finish().as_ref())
            }
        })
    }
}

/// A challenge that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    hash: Hash,
    /// `-sess`.
    session: bool,
    /// How the challenge writes its algorithm; None where it names none.
    algorithm: Option<&'static str>,
    qop: bool,
    user_hash: bool,
    /// The login may be right, only its nonce was old.
    pub stale: bool,
}

impl Challenge {
    /// Reads the parameters, whose names are in lower case. None: it asks for what is not known here (another algorithm,
    /// `auth-int` alone) or is broken.
    pub fn read(parameters: &[(String, Vec<u8>)]) -> Option<Challenge> {
        // Twice the same name would mean that two readers may read two things.
        let place = |name: &str| parameters.iter().position(|(n, _)| n == name);
        if parameters.iter().enumerate().any(|(at, (name, _))| place(name) != Some(at)) {
            return None;
        }
        let of = |name: &str| place(name).map(|at| parameters[at].1.as_slice());
        let is_true = |name: &str| of(name).is_some_and(|value| value.eq_ignore_ascii_case(b"true"));
        let (hash, session, algorithm) = match of("algorithm").map(<[u8]>::to_ascii_lowercase).as_deref() {
            None => (Hash::Md5, false, None),
            Some(b"md5") => (Hash::Md5, false, Some("MD5")),
            Some(b"md5-sess") => (Hash::Md5, true, Some("MD5-sess")),
            Some(b"sha-256") => (Hash::Sha256, false, Some("SHA-256")),
            Some(b"sha-256-sess") => (Hash::Sha256, true, Some("SHA-256-sess")),
            Some(_) => return None,
        };
        let qop = match of("qop") {
            None => false,
            Some(list) if list.split(|b| *b == b',').any(|q| q.trim_ascii().eq_ignore_ascii_case(b"auth")) => true,
            Some(_) => return None,
        };
        let (realm, nonce) = (of("realm")?.to_vec(), of("nonce")?.to_vec());
        let opaque = of("opaque").map(<[u8]>::to_vec);
        if nonce.is_empty() || (session && !qop) {
            return None;
        }
        let stale = is_true("stale");
        Some(Challenge { realm, nonce, opaque, hash, session, algorithm, qop, user_hash: is_true("userhash"), stale })
    }

    /// Greater is stronger.
    pub fn strength(&self) -> impl Ord + use<> {
        (self.hash, self.qop)
    }

    /// The value of the header line, from `Digest` on.
    pub fn answer(&self, user: &str, password: &Secret, method: &str, uri: &str) -> Result<SecretBytes> {
        let cnonce = crypto::hex(&crypto::random::<16>()?);
        Ok(self.answer_with(user, password, method, uri, &cnonce))
    }

    /// As [`Challenge::answer`], with the client's nonce given.
    pub fn answer_with(&self, user: &str, password: &Secret, method: &str, uri: &str, cnonce: &str) -> SecretBytes {
        let hash = |parts: &[&[u8]]| self.hash.of(parts);
        let mut key = hash(&[user.as_bytes(), b":", &self.realm, b":", password.expose().as_bytes()]);
        if self.session {
            key = hash(&[key.as_bytes(), b":", &self.nonce, b":", cnonce.as_bytes()]);
        }
        let what = hash(&[method.as_bytes(), b":", uri.as_bytes()]);
        let [count, cnonce_octets, what] = [COUNT, cnonce, &what].map(str::as_bytes);
        let response = if self.qop {
            hash(&[key.as_bytes(), b":", &self.nonce, b":", count, b":", cnonce_octets, b":auth:", what])
        } else {
            hash(&[key.as_bytes(), b":", &self.nonce, b":", what])
        };
        let hashed_user = hash(&[user.as_bytes(), b":", &self.realm]);
        let shown_user = if self.user_hash { hashed_user.as_bytes() } else { user.as_bytes() };

        let mut text = Zeroizing::new(Vec::with_capacity(1024 + 2 * (self.realm.len() + self.nonce.len())));
        text.extend_from_slice(b"Digest ");
        quoted(&mut text, "username", shown_user);
        quoted(&mut text, "realm", &self.realm);
        quoted(&mut text, "nonce", &self.nonce);
        quoted(&mut text, "uri", uri.as_bytes());
        quoted(&mut text, "response", response.as_bytes());
        if let Some(opaque) = &self.opaque {
            quoted(&mut text, "opaque", opaque);
        }
        for (name, value) in [("algorithm", self.algorithm), ("userhash", self.user_hash.then_some("true"))] {
            if let Some(value) = value {
                text.extend_from_slice(format!("{name}={value}, ").as_bytes());
            }
        }
        if self.qop {
            quoted(&mut text, "cnonce", cnonce.as_bytes());
            text.extend_from_slice(format!("qop=auth, nc={COUNT}, ").as_bytes());
        }
        let end = text.len() - 2;
        SecretBytes::concat(&[&text[..end]])
    }
}

/// `name="value", `
fn quoted(text: &mut Vec<u8>, name: &str, value: &[u8]) {
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"=\"");
    for &octet in value {
        if matches!(octet, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(octet);
    }
    text.extend_from_slice(b"\", ");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(parameters: &[(&str, &str)]) -> Option<Challenge> {
        let owned: Vec<_> = parameters.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
        Challenge::read(&owned)
    }

    fn answer(parameters: &[(&str, &str)], user: &str, password: &str, cnonce: &str) -> String {
        let challenge = challenge(parameters).unwrap();
        let answer = challenge.answer_with(user, &Secret::new(password), "GET", "/dir/index.html", cnonce);
        String::from_utf8(answer.expose().to_vec()).unwrap()
    }

    const RFC_7616: [(&str, &str); 4] = [
        ("realm", "http-auth@example.org"),
        ("qop", "auth, auth-int"),
        ("nonce", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
        ("opaque", "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"),
    ];
    const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

    #[test]
    fn the_answers_are_those_of_rfc_7616_section_3_9_1() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let parameters = [&RFC_7616[..], &[("algorithm", algorithm)]].concat();
            assert_eq!(
                answer(&parameters, "Mufasa", "Circle of Life", CNONCE),
                format!(
                    "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
                     nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", \
                     response=\"{response}\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", \
                     algorithm={algorithm}, cnonce=\"{CNONCE}\", qop=auth, nc=00000001"
                )
            );
        }
    }

    #[test]
    fn without_qop_the_answer_is_that_of_rfc_2069() {
        // Its own example (section 2.4) has a wrong digest; this is the one of its erratum.
        let parameters =
            [("realm", "testrealm@host.com"), ("nonce", "dcd98b7102dd2f0e8b11d0f600bfb0c093"), ("algorithm", "MD5")];
        let answer = answer(&parameters, "Mufasa", "CircleOfLife", "unused");
        assert!(answer.contains("response=\"1949323746fe6a43ef61f9606e7febea\""), "{answer}");
        assert!(!answer.contains("cnonce") && !answer.contains("qop"), "{answer}");
    }

    #[test]
    fn a_hashed_user_is_that_of_rfc_7616_section_3_4_4() {
        let parameters = [&RFC_7616[..], &[("userhash", "true"), ("algorithm", "SHA-256")]].concat();
        let answer = answer(&parameters, "Mufasa", "x", CNONCE);
        let hashed = Hash::Sha256.of(&[b"Mufasa:http-auth@example.org"]);
        assert!(answer.starts_with(&format!("Digest username=\"{}\", ", *hashed)), "{answer}");
        assert!(answer.contains(", userhash=true, ") && !answer.contains("Mufasa"), "{answer}");
    }

    #[test]
    fn a_session_key_takes_both_nonces() {
        let parameters = [("realm", "r"), ("nonce", "n"), ("algorithm", "MD5-sess"), ("qop", "auth")];
        let inner = Hash::Md5.of(&[b"u:r:p"]);
        let key = Hash::Md5.of(&[inner.as_bytes(), b":n:c"]);
        let what = Hash::Md5.of(&[b"GET:/dir/index.html"]);
        let response = Hash::Md5.of(&[key.as_bytes(), b":n:00000001:c:auth:", what.as_bytes()]);
        assert!(answer(&parameters, "u", "p", "c").contains(&format!("response=\"{}\"", *response)));
    }

    #[test]
    fn quotes_are_escaped_and_what_cannot_be_answered_is_none() {
        let text = answer(&[("realm", "a\"b\\c"), ("nonce", "n")], "x\"y", "p", "c");
        assert!(text.starts_with(r#"Digest username="x\"y", realm="a\"b\\c", "#), "{text}");
        for broken in [
            &[("realm", "r")][..],
            &[("nonce", "n")],
            &[("realm", "r"), ("nonce", "")],
            &[("realm", "r"), ("nonce", "n"), ("algorithm", "SHA-512-256")],
            &[("realm", "r"), ("nonce", "n"), ("qop", "auth-int")],
            &[("realm", "r"), ("nonce", "n"), ("qop", "")],
            &[("realm", "r"), ("nonce", "n"), ("algorithm", "MD5-sess")],
            &[("realm", "r"), ("nonce", "n"), ("nonce", "m")],
        ] {
            assert!(challenge(broken).is_none(), "{broken:?}");
        }
        assert!(challenge(&[("realm", ""), ("nonce", "n"), ("stale", "TRUE")]).unwrap().stale);
    }

    #[test]
    fn sha_256_is_stronger_than_md5_and_qop_than_none() {
        let of = |more: &[(&str, &str)]| challenge(&[&[("realm", "r"), ("nonce", "n")], more].concat()).unwrap();
        let (plain, md5) = (of(&[]), of(&[("qop", "auth")]));
        let sha = of(&[("algorithm", "SHA-256")]);
        assert!(plain.strength() < md5.strength() && md5.strength() < sha.strength());
    }
}
