//! What the fuzz targets do with what they read.

use ssmtp::certs::Certificate;
use ssmtp::certs::contents::Contents;
use ssmtp::certs::fault::Read;
use ssmtp::certs::store::Format;
use ssmtp::enums::CertStoreType;

/// The password of the seeds.
const PASSWORD: &str = "secret";

/// Reads a store with its reader, and all of what it holds.
pub fn store(format: &dyn Format, data: &[u8]) {
    let _ = format.recognises(data);
    held(format.read(data, PASSWORD));
    held(format.read(data, ""));
}

/// Opens content as a store of this type.
pub fn opened(kind: CertStoreType, data: &[u8]) {
    if let Ok(found) = Certificate::from_store(kind as i32, data, PASSWORD, "*", "") {
        fields(&found);
    }
    let _ = Certificate::from_store_encoded(kind as i32, data, PASSWORD, data);
}

fn held(contents: Read<Contents>) {
    let Ok(entries) = contents.and_then(Contents::entries) else { return };
    for entry in entries.iter().take(16) {
        fields(&Certificate::of(entry.clone()));
    }
    if let Some(chosen) = entries.select("*") {
        fields(&Certificate::of(chosen));
    }
    let _ = entries.select("CN=");
}

/// Reads every field. None may hold a NUL, which would cut it in C.
pub fn fields(certificate: &Certificate) {
    let zone = |_| 3600;
    let texts = [
        certificate.subject(),
        certificate.issuer(),
        certificate.effective_date(zone),
        certificate.expiration_date(zone),
        certificate.subject_alt_names(),
        certificate.serial_number(),
        certificate.version(),
        certificate.usage(),
        certificate.extended_key_usage(),
        certificate.signature_algorithm(),
        certificate.public_key(),
        certificate.public_key_algorithm(),
        certificate.private_key(),
        certificate.fingerprint(),
        certificate.fingerprint_sha1(),
        certificate.fingerprint_sha256(),
        certificate.thumbprint_md5(),
        certificate.thumbprint_sha1(),
        certificate.thumbprint_sha256(),
        certificate.encoded(),
        certificate.store(),
    ];
    for text in texts {
        assert!(!text.expect("a field").contains('\0'));
    }
    let _ =
        (certificate.public_key_length(), certificate.usage_flags(), certificate.encoded_b(), certificate.store_b());
}

/// The input as pieces, each with its length in two octets before it, until one is not wanted any more.
pub fn pieces(mut data: &[u8], mut each: impl FnMut(&[u8]) -> bool) {
    while let [high, low, rest @ ..] = data {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        if !each(piece) {
            return;
        }
        data = rest;
    }
}
