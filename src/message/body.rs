//! Where the octets of a body come from: memory, a file, the caller's stream. Read piece by piece, so that no size is too large.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::bytes::Bytes;
use super::encode::{Base64Lines, Transfer};
use super::facts::Facts;
use super::layer::Layer;
use super::transfer::TransferSource;
use crate::error::{Code, Error, Result};

/// How much of a file or stream is in memory at a time.
const BUFFER: usize = 256 * 1024;

/// Octets that come in pieces.
pub trait Source: Send {
    /// The next piece, None at the end. An empty piece never comes.
    fn next(&mut self) -> Result<Option<&[u8]>>;
    /// How many octets there are in all, where that is known beforehand.
    fn total(&self) -> Option<u64>;
    /// All octets come in the first piece, so that nothing can follow it.
    fn at_once(&self) -> bool {
        false
    }
    /// What all its octets are like, where that is known.
    fn facts(&self) -> Option<Facts> {
        None
    }
    /// No text: its octets go as they are, and what looks like a line end is none (RFC 3030).
    fn is_binary(&self) -> bool {
        false
    }
    /// The transfer is over. Closes the caller's stream when it gave a way to close it.
    fn finish(&mut self) {}
}

/// Octets that are no text.
struct Binary(Box<dyn Source>);

impl Source for Binary {
    fn next(&mut self) -> Result<Option<&[u8]>> {
        self.0.next()
    }

    fn total(&self) -> Option<u64> {
        self.0.total()
    }

    fn at_once(&self) -> bool {
        self.0.at_once()
    }

    fn is_binary(&self) -> bool {
        true
    }

    fn finish(&mut self) {
        self.0.finish();
    }
}

/// Octets of a place that this module does not know, a part of a queue file for one.
pub trait Opener: Send + Sync + std::fmt::Debug {
    fn open(&self) -> Result<Box<dyn Source>>;
    /// How many octets, where that is known.
    fn size(&self) -> Option<u64>;
    /// Opened once more, it gives the same.
    fn again(&self) -> bool;
}

/// Octets in memory: they come at once and uncopied.
pub struct Memory {
    bytes: Bytes,
    start: usize,
    at: usize,
    portion: usize,
    facts: Option<Facts>,
}

impl Memory {
    pub fn new(bytes: Bytes) -> Memory {
        Memory::in_portions(bytes, usize::MAX)
    }

    /// So many octets at a time, for who encodes them on the way.
    pub fn in_portions(bytes: Bytes, portion: usize) -> Memory {
        Memory { bytes, start: 0, at: 0, portion, facts: None }
    }
}

impl Source for Memory {
    fn next(&mut self) -> Result<Option<&[u8]>> {
        let rest = &self.bytes[self.at..];
        let portion = &rest[..rest.len().min(self.portion)];
        self.at += portion.len();
        Ok((!portion.is_empty()).then_some(portion))
    }

    fn total(&self) -> Option<u64> {
        Some(self.bytes.len().saturating_sub(self.start) as u64)
    }

    fn at_once(&self) -> bool {
        self.portion >= self.bytes.len()
    }

    fn facts(&self) -> Option<Facts> {
        self.facts
    }
}

/// A file on disk, or a FIFO.
pub struct FileSource {
    path: PathBuf,
    file: File,
    size: Option<u64>,
    buffer: Vec<u8>,
}

impl FileSource {
    /// Opens a file; 302 when it cannot be opened or is a folder. A FIFO waits for its writer.
    pub fn open(path: &Path) -> Result<FileSource> {
        let failed = |why: &dyn std::fmt::Display| Error::new(Code::AttachedFile, format!("{}: {why}", path.display()));
        let file = File::open(path).map_err(|error| failed(&error))?;
        let about = file.metadata().map_err(|error| failed(&error))?;
        if about.is_dir() {
            return Err(failed(&"is a folder"));
        }
        // Devices and files of the kernel say 0 and have content.
        let size = (about.is_file() && about.len() > 0).then_some(about.len());
        Ok(FileSource { path: path.to_path_buf(), file, size, buffer: Vec::new() })
    }
}

impl Source for FileSource {
    fn next(&mut self) -> Result<Option<&[u8]>> {
        self.buffer.resize(BUFFER, 0);
        loop {
            match self.file.read(&mut self.buffer) {
                Ok(0) => return Ok(None),
                Ok(count) => return Ok(Some(&self.buffer[..count])),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::new(Code::AttachedFile, format!("{}: {error}", self.path.display()))),
            }
        }
    }

    fn total(&self) -> Option<u64> {
        self.size
    }
}

/// Reads into a buffer: how many octets, 0 at the end, negative to fail the Send with 303.
pub type ReadFn = Box<dyn FnMut(&mut [u8]) -> i64 + Send>;

/// What the caller's stream is made of.
pub struct StreamBody {
    pub read: ReadFn,
    pub close: Option<Box<dyn FnOnce() + Send>>,
    pub size: Option<u64>,
}

/// The caller's stream, shared by the message and the transfer that reads it.
///
/// A transfer takes the callbacks out and puts them back, so no lock is held while they run.
#[derive(Clone)]
pub struct Stream(Arc<Shared>);

struct Shared {
    size: Option<u64>,
    slot: Mutex<Slot>,
}

enum Slot {
    Ready(StreamBody),
    InUse,
    Closed,
}

impl Stream {
    pub fn new(body: StreamBody) -> Stream {
        Stream(Arc::new(Shared { size: body.size, slot: Mutex::new(Slot::Ready(body)) }))
    }

    pub fn size(&self) -> Option<u64> {
        self.0.size
    }

    /// Starts a transfer; 303 while another one reads the stream, and after it was closed.
    pub fn source(&self) -> Result<StreamSource> {
        let mut slot = self.0.slot.lock();
        match std::mem::replace(&mut *slot, Slot::InUse) {
            Slot::Ready(body) => Ok(StreamSource {
                body: Some(body),
                shared: Arc::clone(&self.0),
                read: 0,
                over: false,
                buffer: Vec::new(),
            }),
            Slot::InUse => Err(Error::new(Code::File, "the message stream is being read by another transfer")),
            Slot::Closed => {
                *slot = Slot::Closed;
                Err(Error::new(Code::File, "the message stream was closed after its transfer"))
            }
        }
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stream({:?})", self.0.size)
    }
}

/// A transfer that reads the caller's stream.
pub struct StreamSource {
    body: Option<StreamBody>,
    shared: Arc<Shared>,
    read: u64,
    over: bool,
    buffer: Vec<u8>,
}

impl Source for StreamSource {
    fn next(&mut self) -> Result<Option<&[u8]>> {
        let Some(body) = self.body.as_mut().filter(|_| !self.over) else { return Ok(None) };
        self.buffer.resize(BUFFER, 0);
        let answer = (body.read)(&mut self.buffer);
        let Some(count) = usize::try_from(answer).ok().filter(|count| *count <= BUFFER) else {
            self.over = true;
            let why = if answer < 0 {
                "the message stream failed"
            } else {
                "the message stream gave more than was asked for"
            };
            return Err(Error::new(Code::File, format!("{why} ({answer})")));
        };
        self.read += count as u64;
        self.over = count == 0;
        Ok((count > 0).then_some(&self.buffer[..count]))
    }

    fn total(&self) -> Option<u64> {
        self.shared.size
    }

    fn finish(&mut self) {
        if let Some(mut body) = self.body.take() {
            let close = body.close.take();
            *self.shared.slot.lock() = if close.is_some() { Slot::Closed } else { Slot::Ready(body) };
            if let Some(close) = close {
                close();
            }
        }
    }
}

/// A transfer that ended without `finish` leaves the stream open and usable.
impl Drop for StreamSource {
    fn drop(&mut self) {
        if let Some(body) = self.body.take() {
            *self.shared.slot.lock() = Slot::Ready(body);
        }
    }
}

/// One part of a body, in the order in which they go out.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Octets as they were set.
    Bytes(Bytes),
    /// The same from an octet on, and what they are like.
    Known(Bytes, usize, Facts),
    /// A file that is read while sending.
    File(PathBuf),
    /// The caller's stream.
    Stream(Stream),
    /// Octets that were encoded for this message.
    Encoded(Bytes),
    /// A piece whose octets are no text.
    Binary(Box<Piece>),
    /// Pieces that become one encoded text while sending.
    Transfer(Transfer, Vec<Piece>),
    /// Pieces that are signed or encrypted as one while sending.
    Through(Arc<dyn Layer>, Vec<Piece>),
    /// What another module knows how to read.
    Other(Arc<dyn Opener>),
}

impl Piece {
    /// Opens the piece for reading: 302 for a file, 303 for a stream.
    pub fn open(&self) -> Result<Box<dyn Source>> {
        let memory = |bytes: &Bytes, start: usize, facts| -> Box<dyn Source> {
            let start = start.min(bytes.len());
            Box::new(Memory { start, at: start, facts, ..Memory::new(bytes.clone()) })
        };
        Ok(match self {
            Piece::Bytes(bytes) | Piece::Encoded(bytes) => memory(bytes, 0, None),
            Piece::Known(bytes, start, facts) => memory(bytes, *start, Some(*facts)),
            Piece::File(path) => Box::new(FileSource::open(path)?),
            Piece::Stream(stream) => Box::new(stream.source()?),
            Piece::Binary(piece) => Box::new(Binary(piece.open()?)),
            Piece::Transfer(transfer, pieces) => Box::new(TransferSource::open(*transfer, pieces)?),
            Piece::Through(layer, pieces) => Box::new(TransferSource::layered(&**layer, pieces)?),
            Piece::Other(other) => other.open()?,
        })
    }

    /// How many octets, where that is known without opening.
    pub fn size(&self) -> Option<u64> {
        match self {
            Piece::Bytes(bytes) => Some(bytes.len() as u64),
            Piece::Known(bytes, start, _) => Some(bytes.len().saturating_sub(*start) as u64),
            Piece::Encoded(bytes) => Some(bytes.len() as u64),
            Piece::File(path) => {
                std::fs::metadata(path).ok().filter(|about| about.is_file() && about.len() > 0).map(|about| about.len())
            }
            Piece::Stream(stream) => stream.size(),
            Piece::Other(other) => other.size(),
            Piece::Binary(piece) => piece.size(),
            Piece::Transfer(Transfer::QuotedPrintable, _) => None,
            Piece::Transfer(Transfer::Base64, pieces) => {
                pieces.iter().map(Piece::size).sum::<Option<u64>>().map(Base64Lines::length)
            }
            Piece::Through(layer, pieces) => layer.length(pieces.iter().map(Piece::size).sum::<Option<u64>>()?),
        }
    }

    /// The octets, where they are in memory as they are.
    pub fn octets(&self) -> Option<&[u8]> {
        match self {
            Piece::Bytes(bytes) | Piece::Encoded(bytes) => Some(bytes),
            Piece::Known(bytes, start, _) => Some(bytes.get(*start..).unwrap_or_default()),
            _ => None,
        }
    }

    /// Memory and files give the same octets again; streams and pipes do not.
    pub fn is_rereadable(&self) -> bool {
        match self {
            Piece::Bytes(_) | Piece::Known(..) | Piece::Encoded(_) => true,
            Piece::File(path) => std::fs::metadata(path).is_ok_and(|about| about.is_file()),
            Piece::Stream(_) => false,
            Piece::Other(other) => other.again(),
            Piece::Binary(piece) => piece.is_rereadable(),
            Piece::Transfer(_, pieces) | Piece::Through(_, pieces) => pieces.iter().all(Piece::is_rereadable),
        }
    }

    pub fn is_binary(&self) -> bool {
        matches!(self, Piece::Binary(_))
    }

    /// Whether all of it is in memory, so that reading it twice gives the same.
    pub fn is_kept(&self) -> bool {
        match self {
            Piece::Bytes(_) | Piece::Known(..) | Piece::Encoded(_) => true,
            Piece::File(_) | Piece::Stream(_) | Piece::Through(..) | Piece::Other(_) => false,
            Piece::Binary(piece) => piece.is_kept(),
            Piece::Transfer(_, pieces) => pieces.iter().all(Piece::is_kept),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn all(source: &mut dyn Source) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        while let Some(piece) = source.next()? {
            assert!(!piece.is_empty() && piece.len() <= BUFFER);
            out.extend_from_slice(piece);
        }
        Ok(out)
    }

    fn temp(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("ssmtp-body-{}-{name}", std::process::id()))
    }

    #[test]
    fn memory_comes_at_once_and_uncopied() {
        let bytes: Bytes = vec![7; 3 * BUFFER].into();
        let mut source = Memory::new(bytes.clone());
        assert_eq!(source.next().unwrap().unwrap().as_ptr(), bytes.as_ptr());
        assert!(source.next().unwrap().is_none());
        assert!(Memory::new(Vec::new().into()).next().unwrap().is_none());
    }

    #[test]
    fn a_file_comes_in_pieces_with_its_size_known() {
        let path = temp("file");
        let content: Vec<u8> = (0..3 * BUFFER + 5).map(|n| n as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let piece = Piece::File(path.clone());
        assert_eq!(piece.size(), Some(content.len() as u64));
        let mut source = piece.open().unwrap();
        assert_eq!(source.total(), Some(content.len() as u64));
        assert_eq!(all(&mut *source).unwrap(), content);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_is_missing_or_a_folder_is_error_302() {
        for path in [temp("missing"), std::env::temp_dir()] {
            let error = Piece::File(path).open().err().unwrap();
            assert_eq!(error.code, Code::AttachedFile);
        }
    }

    #[test]
    fn a_fifo_is_read_to_its_end_and_has_no_size() {
        let path = temp("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let writer = std::thread::spawn({
            let path = path.clone();
            move || std::fs::write(path, vec![b'x'; 600_000]).unwrap()
        });
        let mut source = Piece::File(path.clone()).open().unwrap();
        assert_eq!(source.total(), None);
        assert_eq!(all(&mut *source).unwrap().len(), 600_000);
        writer.join().unwrap();
        std::fs::remove_file(&path).unwrap();
    }

    fn stream(pieces: &'static [&'static [u8]], then: i64, closed: &Arc<AtomicUsize>) -> Stream {
        let mut pieces = pieces.iter();
        let closed = Arc::clone(closed);
        Stream::new(StreamBody {
            read: Box::new(move |buffer| match pieces.next() {
                Some(piece) => {
                    buffer[..piece.len()].copy_from_slice(piece);
                    piece.len() as i64
                }
                None => then,
            }),
            close: Some(Box::new(move || {
                closed.fetch_add(1, Ordering::SeqCst);
            })),
            size: None,
        })
    }

    #[test]
    fn a_stream_is_read_to_its_end_and_closed_once() {
        let closed = Arc::new(AtomicUsize::new(0));
        let stream = stream(&[b"one ", b"two"], 0, &closed);
        let mut source = stream.source().unwrap();
        assert_eq!(stream.source().err().unwrap().code, Code::File);
        assert_eq!(all(&mut source).unwrap(), b"one two");
        assert!(source.next().unwrap().is_none());
        source.finish();
        source.finish();
        drop(source);
        assert_eq!(closed.load(Ordering::SeqCst), 1);
        assert_eq!(stream.source().err().unwrap().code, Code::File);
    }

    #[test]
    fn a_stream_that_fails_or_lies_about_its_count_is_error_303() {
        let closed = Arc::new(AtomicUsize::new(0));
        for answer in [-1, i64::MIN, BUFFER as i64 + 1, i64::MAX] {
            let stream = stream(&[b"x"], answer, &closed);
            let mut source = stream.source().unwrap();
            assert_eq!(all(&mut source).unwrap_err().code, Code::File);
            drop(source);
            // Nobody finished the transfer, so the stream is still there.
            assert!(stream.source().is_ok());
        }
        assert_eq!(closed.load(Ordering::SeqCst), 0);
    }
}
