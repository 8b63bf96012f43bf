//! Files of the queue, and what is remembered of them. A checksum would keep everything out, so the right one is added too.

#![no_main]

use ring::digest::{SHA256, digest};
use ssmtp::queue::format::Head;
use ssmtp::queue::octets::MemoryOctets;
use ssmtp::queue::read::Stored;
use ssmtp::queue::sealed::Keyring;
use ssmtp::queue::state::State;
use std::sync::{Arc, LazyLock};

/// A key, since one from a password takes its time.
static KEYS: LazyLock<Keyring> = LazyLock::new(|| Keyring::new(&format!("key:{}", "ab".repeat(32))).expect("a key"));

fn open(octets: Vec<u8>) {
    if let Ok(stored) = Stored::open(Arc::new(MemoryOctets(octets)), Some(&KEYS)) {
        for index in 0..stored.transactions.len() {
            let _ = stored.content(index);
        }
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = Head::read(data);
    let _ = State::read(data);
    open(data.to_vec());
    // What ends the head ends it here; the rest is the content.
    let head = data.windows(4).position(|w| w == b"\r\n\r\n").map_or(data.len(), |at| at + 4);
    let mut whole = data.to_vec();
    whole.extend_from_slice(format!("Content: {:020} 7bit\r\nEnd: 000001 sha256:", data.len() - head).as_bytes());
    let sum: String = digest(&SHA256, &whole).as_ref().iter().map(|b| format!("{b:02x}")).collect();
    whole.extend_from_slice(format!("{sum}\r\n").as_bytes());
    open(whole);
});
