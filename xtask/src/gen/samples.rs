//! Values for the rows that take only their own syntax, the same in the generated tests of every language.

/// A certificate of nobody, for the settings that hold PEM.
const PEM: &str = "-----BEGIN CERTIFICATE-----
MIIBODCB66ADAgECAhRoycD1/ampAfHmDAlfmJX8/HYCtTAFBgMrZXAwETEPMA0G
A1UEAwwGc2FtcGxlMCAXDTI2MTEyMjA1MDkzNloYDzIxMjYxMDI5MDUwOTM2WjAR
MQ8wDQYDVQQDDAZzYW1wbGUwKjAFBgMrZXADIQDMjh48NSjwhRE/l8/qfubAr3f7
3e/FnQqz/st4rZiG7qNTMFEwHQYDVR0OBBYEFG1PQF7XIPqkfmwkIZ3hrElFEU29
MB8GA1UdIwQYMBaAFG1PQF7XIPqkfmwkIZ3hrElFEU29MA8GA1UdEwEB/wQFMAMB
Af8wBQYDK2VwA0EAjCHhQVb2rVojV67GSgdq3+YjclS2pyStuJ9BzfLgvIW/Jl4Q
5yuwbYegEWIVB7mxUlM9F9hPJtB/qQy8rrwxAg==
-----END CERTIFICATE-----
";

/// What such a row is set to.
pub fn of(spec: &str) -> Option<&'static str> {
    Some(match spec {
        "SSLEnabledCipherSuites" => "TLS_AES_128_GCM_SHA256;TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS12SupportedGroups" => "ecdhe_secp384r1",
        "TLS13SupportedGroups" => "ecdhe_secp256r1,ecdhe_x25519",
        "TLS13KeyShareGroups" => "ecdhe_secp256r1",
        "TLS12SignatureAlgorithms" => "sha256-rsa",
        "TLS13SignatureAlgorithms" => "ed25519,rsa_pss_sha256",
        "SSLServerCACerts" | "SSLCACerts" | "SSLClientCACerts" => PEM,
        "SSLPinnedPublicKeys" => "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "OpenSSLCipherList" => "HIGH:!aNULL",
        "SecurityProfile" => "Modern",
        "SASLMechanism" => "scram-sha-256",
        "FirewallAuthentication" => "Digest",
        "EncryptingAlgorithm" => "AESCBC256",
        "SigningAlgorithm" => "2.16.840.1.101.3.4.2.3",
        "OAEPHash" | "OAEPMgfHash" => "SHA384",
        "BccEncryption" => "Shared",
        "QueueRetry" => "60;600;86400",
        "QueueRecovery" => "Requeue",
        _ => return None,
    })
}

/// Settings that read True and are set to True: False is refused, or would be for the whole process.
pub fn keeps(spec: &str) -> bool {
    ["SSLEnableRenegotiation", "UseInternalSecurityAPI"].contains(&spec)
}

/// A number that such a row takes, where it is not just any.
pub fn number(spec: &str) -> Option<i64> {
    (spec == "SSLEnabledProtocols").then_some(15_360)
}
