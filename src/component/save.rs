//! SaveMessage: the message as it goes out, as a file: for an archive, a folder of sent mail, and programs that read it.

use super::Component;
use super::operation::Operation;
use super::send::compose_options;
use crate::config::Setting;
use crate::error::{Code, Error, Result};
use crate::message::body::{Piece, Source};
use crate::message::compose::{self, Caps, Composed};
use crate::message::id;
use crate::smtp::dot::Stuffer;
use crate::text::line;
use std::fs::{self, File, OpenOptions};
use std::io::{IoSlice, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Slices of a piece that are looked at together.
const SLICES: usize = 256;

impl Component {
    /// The message as a new file, or in place of an old one once it is complete. A device is written to as it is.
    pub fn save_message(&self, path: &str) -> Result<()> {
        if path.is_empty() {
            return Err(Error::new(Code::ValueRefused, "SaveMessage needs the path of a file"));
        }
        line::refuse_crlf_nul("Path", path)?;
        let op = self.begin()?;
        let path = Path::new(path);
        // Nobody may read it, which would wait for ever; and who reads it may leave, which would end the program with SIGPIPE.
        if fs::metadata(path).is_ok_and(|about| about.file_type().is_fifo()) {
            return Err(failed(path, "it is a FIFO"));
        }
        let composed = self.composed_for_a_file()?;
        // Opened before there is a file, so that a stream or attachment that is not there leaves nothing behind.
        let mut sources = composed.pieces.iter().map(Piece::open).collect::<Result<Vec<_>>>()?;
        let written = match fs::symlink_metadata(path) {
            Ok(about) if !about.is_file() => {
                let file = OpenOptions::new().write(true).truncate(true).open(path).map_err(|why| failed(path, why))?;
                write(&op, file, path, &composed.headers, &mut sources)
            }
            _ => replace(&op, path, &composed.headers, &mut sources),
        };
        if self.state.lock().settings.bool(Setting::CloseStreamAfterTransfer) {
            sources.iter_mut().for_each(|source| source.finish());
        }
        written
    }

    /// As it was sent, with the same Date, Message-ID and boundaries; else as for a server that takes 7-bit text, where it can.
    fn composed_for_a_file(&self) -> Result<Composed> {
        let _one_at_a_time = self.composing.lock();
        let (draft, options, caps, mut generated) = {
            let state = self.state.lock();
            (state.message.clone(), compose_options(&state), state.caps, state.generated.clone())
        };
        draft.check_secured(&[])?;
        let mut with = |eight_bit_mime| {
            compose::compose(&draft, &options, Caps { eight_bit_mime, smtp_utf8: true, binary: false }, &mut generated)
        };
        let composed = with(caps.eight_bit_mime).or_else(|error| match error.code {
            Code::ValueRefused => with(true),
            _ => Err(error),
        });
        let mut state = self.state.lock();
        if state.message.revision == draft.revision {
            state.generated = generated;
        }
        composed
    }
}

fn failed(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(Code::File, format!("{}: {why}", path.display()))
}

/// Beside the file that it becomes, whose content stays until then.
fn replace(op: &Operation, path: &Path, headers: &[u8], sources: &mut [Box<dyn Source>]) -> Result<()> {
    let mut name = path.file_name().ok_or_else(|| failed(path, "it is no name of a file"))?.to_os_string();
    name.push(format!(".{}.part", id::hex(&id::random::<8>()?)));
    let part = Part(path.with_file_name(name));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part.0);
    write(op, file.map_err(|why| failed(path, why))?, path, headers, sources)?;
    fs::rename(&part.0, path).map_err(|why| failed(path, why))
}

/// A file that goes unless it got its name.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn write(op: &Operation, file: File, path: &Path, headers: &[u8], sources: &mut [Box<dyn Source>]) -> Result<()> {
    let put = |octets: &[u8]| (&file).write_all(octets).map_err(|why| failed(path, why));
    put(headers)?;
    let mut lines = Stuffer::new(false);
    for source in sources {
        while let Some(chunk) = source.next()? {
            op.clock.check()?;
            let mut at = 0;
            while at < chunk.len() {
                let mut slices: Vec<IoSlice<'_>> = Vec::new();
                at += lines.feed(&chunk[at..], &mut slices, SLICES);
                slices.iter().try_for_each(|slice| put(slice))?;
            }
        }
    }
    put(lines.finish())
}
