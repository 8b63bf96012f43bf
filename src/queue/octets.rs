//! Octets that can be read anywhere: a file, memory, and what [armor](super::armor) and [seal](super::sealed) lay over them.

use super::failed;
use crate::error::Result;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;

pub trait Octets: Send + Sync {
    fn len(&self) -> u64;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills the buffer from there on; less only at the end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize>;
}

/// So many octets from there, or an error where there are fewer.
pub fn exactly(octets: &dyn Octets, offset: u64, count: usize) -> Result<Vec<u8>> {
    let mut buffer = vec![0; count];
    let got = octets.read_at(offset, &mut buffer)?;
    if got < count { Err(failed("queue", "the file ends early")) } else { Ok(buffer) }
}

pub struct FileOctets {
    file: File,
    len: u64,
}

impl FileOctets {
    /// Of an open regular file, as long as it is now.
    pub fn new(file: File) -> Result<FileOctets> {
        let len = file.metadata().map_err(|e| failed("queue file", e))?.len();
        Ok(FileOctets { file, len })
    }
}

impl Octets for FileOctets {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            match self.file.read_at(&mut buffer[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed("queue file", error)),
            }
        }
        Ok(done)
    }
}

pub struct MemoryOctets(pub Vec<u8>);

impl Octets for MemoryOctets {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
        let count = buffer.len().min(self.0.len() - start);
        buffer[..count].copy_from_slice(&self.0[start..start + count]);
        Ok(count)
    }
}
