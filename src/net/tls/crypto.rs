//! What of ring goes into a connection. Not rustls's own choice of it, which brings along its QUIC half and its ways to read and use
//! private keys: dead weight here, since the client's key is one of [`crate::certs`].

use super::curves::ALGORITHMS;
use super::names::Shape;
pub(super) use cipher_suite::{
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
};
use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::crypto::ring::cipher_suite;
use rustls::crypto::{CipherSuiteCommon, CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use rustls::{SupportedCipherSuite, Tls13CipherSuite};
use std::sync::Arc;

/// The suites, groups and signatures of these options.
pub(super) fn provider(shape: &Shape) -> CryptoProvider {
    CryptoProvider {
        cipher_suites: shape.suites.clone(),
        kx_groups: shape.groups.clone(),
        signature_verification_algorithms: ALGORITHMS,
        secure_random: &Random,
        key_provider: &NoKeys,
    }
}

/// A suite of TLS 1.3 without what QUIC would do with it.
const fn over_tcp(suite: &SupportedCipherSuite) -> Tls13CipherSuite {
    let SupportedCipherSuite::Tls13(suite) = suite else { panic!("a suite of TLS 1.3") };
    Tls13CipherSuite {
        common: CipherSuiteCommon {
            suite: suite.common.suite,
            hash_provider: suite.common.hash_provider,
            confidentiality_limit: suite.common.confidentiality_limit,
        },
        hkdf_provider: suite.hkdf_provider,
        aead_alg: suite.aead_alg,
        quic: None,
    }
}

macro_rules! over_tcp {
    ($($name:ident)*) => {
        $(pub(super) static $name: SupportedCipherSuite = {
            static SUITE: Tls13CipherSuite = over_tcp(&cipher_suite::$name);
            SupportedCipherSuite::Tls13(&SUITE)
        };)*
    };
}

over_tcp! { TLS13_AES_256_GCM_SHA384 TLS13_AES_128_GCM_SHA256 TLS13_CHACHA20_POLY1305_SHA256 }

/// The system's random numbers.
#[derive(Debug)]
struct Random;

impl SecureRandom for Random {
    fn fill(&self, buf: &mut [u8]) -> Result<(), GetRandomFailed> {
        SystemRandom::new().fill(buf).map_err(|_| GetRandomFailed)
    }
}

/// No key ever comes this way.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("private keys are not read here".to_owned()))
    }
}
