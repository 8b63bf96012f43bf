//! SSLKeyLogFile: the secrets of each session, appended in the format of NSS, for the one who is to decrypt a recording.

use crate::error::{Code, Error, Result};
use parking_lot::Mutex;
use rustls::KeyLog;
use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroize;

pub(super) struct KeyLogFile(Mutex<File>);

// rustls asks for it and prints none; a derived one brings that of files along, and theirs is large.
impl fmt::Debug for KeyLogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLogFile")
    }
}

impl KeyLogFile {
    /// Opens for appending: made for the owner alone, never through a symbolic link, and nothing but a file. Error 303.
    pub(super) fn open(path: &Path) -> Result<KeyLogFile> {
        let refused = |why: &dyn std::fmt::Display| {
            Error::new(Code::File, format!("SSLKeyLogFile {} cannot be opened: {why}", path.display()))
        };
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            // A pipe without a reader would block.
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .map_err(|error| match error.raw_os_error() {
                Some(libc::ELOOP) => refused(&"it is a symbolic link"),
                _ => refused(&error),
            })?;
        if !file.metadata().is_ok_and(|data| data.is_file()) {
            return Err(refused(&"it is no ordinary file"));
        }
        Ok(KeyLogFile(Mutex::new(file)))
    }
}

impl KeyLogFile {
    /// One line that is written already, without its end.
    pub(super) fn line(&self, line: &[u8]) {
        let mut line = [line, b"\n"].concat();
        let _ = self.0.lock().write_all(&line);
        line.zeroize();
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line = String::with_capacity(label.len() + 2 * (client_random.len() + secret.len()) + 3);
        line.push_str(label);
        for bytes in [client_random, secret] {
            line.push(' ');
            for byte in bytes {
                // Writing to a String cannot fail.
                let _ = write!(line, "{byte:02x}");
            }
        }
        line.push('\n');
        // In one write, so that lines of several processes do not mix. A full disk is no reason to end a session.
        let _ = self.0.lock().write_all(line.as_bytes());
        line.zeroize();
    }
}
