//! What a signature costs with nothing around it: ring's, and its verification, which nothing that leaves the library goes without. And
//! what Base64 in lines of 76 costs.
//!
//! usage: bare COUNT rsa|ec KEY (PKCS #8, DER)
//!        bare COUNT base64 FILE

use std::hint::black_box;

use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, KeyPair, RsaKeyPair, UnparsedPublicKey};
use ssmtp_octets::encode::Base64Lines;

/// About what the signed attributes have.
const OCTETS: usize = 200;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, count, kind, key] = &arguments[..] else {
        eprintln!("usage: bare COUNT rsa|ec KEY");
        std::process::exit(2);
    };
    let (count, key): (u32, _) = (count.parse().expect("a number"), std::fs::read(key).expect("a key"));
    if kind == "base64" {
        return base64(count, &key);
    }
    let random = SystemRandom::new();
    let (sign, verify) = if kind == "rsa" {
        let key = RsaKeyPair::from_pkcs8(&key).expect("an RSA key");
        let public = UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, key.public().as_ref().to_vec());
        let mut made = vec![0; key.public().modulus_len()];
        let sign = |content: &[u8]| {
            key.sign(&signature::RSA_PKCS1_SHA256, &random, content, &mut made).expect("a signature");
            made.clone()
        };
        timed(count, sign, &public)
    } else {
        let key = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, &key, &random).expect("a key");
        let public = UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, key.public_key().as_ref().to_vec());
        timed(count, |content| key.sign(&random, content).expect("a signature").as_ref().to_vec(), &public)
    };
    println!("{{\"sign\": {sign:.3}, \"verify\": {verify:.3}}}");
}

/// A file, so many times, into memory that is there already.
fn base64(count: u32, octets: &[u8]) {
    let mut out = Vec::with_capacity(octets.len() * 2);
    let start = cpu();
    for _ in 0..count {
        let mut lines = Base64Lines::default();
        out.clear();
        lines.push(black_box(octets), &mut out);
        lines.finish(&mut out);
        black_box(&out);
    }
    println!("{{\"cpu\": {:.9}}}", cpu() - start);
}

/// Microseconds of a signature, and of its verification.
fn timed(count: u32, mut sign: impl FnMut(&[u8]) -> Vec<u8>, public: &UnparsedPublicKey<Vec<u8>>) -> (f64, f64) {
    let content = [7; OCTETS];
    let mut made = sign(&content);
    let each = |start: f64| (cpu() - start) / f64::from(count) * 1e6;
    let start = cpu();
    for _ in 0..count {
        made = black_box(sign(black_box(&content)));
    }
    let signing = each(start);
    let start = cpu();
    for _ in 0..count {
        public.verify(black_box(&content), black_box(&made)).expect("it is valid");
    }
    (signing, each(start))
}

/// Seconds of CPU of this process.
fn cpu() -> f64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills what it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut now) };
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
