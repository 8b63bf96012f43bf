//! The folder of a queue: files made, listed, taken and put away below one open folder. Nothing that is a link is followed, nothing
//! that is there is overwritten, and what must survive a power cut is on the disk before anything is built on it.
//!
//! Who has a file holds its lock (flock), which ends with the process; who takes it renames it, which only one can. On file systems
//! without locks the name alone counts.

use super::failed;
use super::names::{self, FAILED, QUEUED, SENDING, SENT, STATE, TEMPORARY};
use super::state::State;
use crate::error::{Error, Result};
use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::fs::{flock, openat, renameat, renameat_with, statat, unlinkat};
use rustix::io::{Errno, retry_on_intr};
use std::collections::BinaryHeap;
use std::fs::{File, Permissions};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::atomic::{AtomicBool, Ordering};

/// Names that are held at once; a longer folder is listed again.
const BATCH: usize = 16 * 1024;
/// A name that is taken is tried again with another one.
const TRIES: usize = 100;
/// The longest state of a file that is read.
const STATE_LIMIT: u64 = 4 << 20;

/// A name without its extension.
pub type Base = Vec<u8>;

#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    path: String,
    /// Names were changed that are not on the disk yet.
    unsynced: AtomicBool,
}

/// What came of reaching for a file.
pub enum Reach {
    Got(Held),
    /// Somebody else has it, or it is gone.
    Passed,
    /// It is no file of ours, or cannot be read.
    Foreign(Error),
}

/// What came of taking a file to send it.
pub enum Take {
    Ours,
    Gone,
    InTheWay(Error),
}

/// A file whose lock we have.
pub struct Held {
    pub base: Base,
    pub file: File,
    /// Device and number of the file; their types differ from system to system.
    inode: (i128, i128),
}

impl Drop for Held {
    fn drop(&mut self) {
        unlock(&self.file);
    }
}

/// Not left to the closing: a child that another thread is just starting has the open file too, and the lock would stay with it.
fn unlock(file: &File) {
    let _ = retry_on_intr(|| flock(file, FlockOperation::Unlock));
}

pub fn shown(base: &[u8], extension: &str) -> String {
    format!("{}.{extension}", String::from_utf8_lossy(base))
}

fn name(base: &[u8], extension: &str) -> Vec<u8> {
    [base, b".", extension.as_bytes()].concat()
}

impl Folder {
    /// 303 when it is not there, is no folder, or must not be read.
    pub fn open(path: &str) -> Result<Folder> {
        if path.is_empty() {
            return Err(failed("QueueDir", "it is empty: name a folder"));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = retry_on_intr(|| openat(rustix::fs::CWD, path, flags, Mode::empty())).map_err(|e| failed(path, e))?;
        Ok(Folder { fd, path: path.to_string(), unsynced: AtomicBool::new(false) })
    }

    fn err(&self, name: &[u8], why: impl std::fmt::Display) -> Error {
        failed(&format!("{}/{}", self.path.trim_end_matches('/'), String::from_utf8_lossy(name)), why)
    }

    /// Puts names on the disk. A file system that cannot say so (EINVAL) does it by itself.
    pub fn sync(&self) -> Result<()> {
        self.unsynced.store(false, Ordering::SeqCst);
        match retry_on_intr(|| rustix::fs::fsync(&self.fd)) {
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(error) => {
                self.unsynced.store(true, Ordering::SeqCst);
                Err(failed(&self.path, error))
            }
        }
    }

    /// Puts names on the disk where some were changed.
    pub fn settle(&self) -> Result<()> {
        if self.unsynced.load(Ordering::SeqCst) { self.sync() } else { Ok(()) }
    }

    /// Begins a new file, which nobody sees before it is whole.
    pub fn create(&self) -> Result<NewFile<'_>> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        for _ in 0..TRIES {
            let base = names::fresh()?;
            let temporary = format!(".{base}.{TEMPORARY}").into_bytes();
            match retry_on_intr(|| openat(&self.fd, temporary.as_slice(), flags, mode)) {
                Ok(fd) => {
                    let file = File::from(fd);
                    let new = NewFile { folder: self, file, base, temporary: Some(temporary) };
                    let private = new.file.set_permissions(Permissions::from_mode(0o600));
                    private.map_err(|e| failed(&self.path, e))?;
                    // Who clears up leaves a file that is being written alone.
                    let _ = retry_on_intr(|| flock(&new.file, FlockOperation::NonBlockingLockExclusive));
                    return Ok(new);
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(failed(&self.path, error)),
            }
        }
        Err(failed(&self.path, "there is no free name"))
    }

    /// The names that come next in order, each without its extension: after `after`, up to and with `last`.
    pub fn list(&self, extension: &str, after: Option<&Base>, last: Option<&Base>) -> Result<Vec<Base>> {
        let mut heap: BinaryHeap<Base> = BinaryHeap::new();
        self.each(&mut |name| {
            let Some((base, found)) = names::split(name) else { return };
            let inside = after.is_none_or(|a| base > a.as_slice()) && last.is_none_or(|l| base <= l.as_slice());
            if found != extension || !inside || name.starts_with(b".") {
                return;
            }
            if heap.len() < BATCH {
                heap.push(base.to_vec());
            } else if heap.peek().is_some_and(|largest| base < largest.as_slice()) {
                heap.pop();
                heap.push(base.to_vec());
            }
        })?;
        Ok(heap.into_sorted_vec())
    }

    /// The last name in order, and how many there are.
    pub fn last(&self, extension: &str) -> Result<Option<Base>> {
        let mut last: Option<Base> = None;
        self.each(&mut |name| {
            let Some((base, found)) = names::split(name) else { return };
            if found == extension && !name.starts_with(b".") && last.as_ref().is_none_or(|l| base > l.as_slice()) {
                last = Some(base.to_vec());
            }
        })?;
        Ok(last)
    }

    pub(super) fn each(&self, see: &mut dyn FnMut(&[u8])) -> Result<()> {
        let dir = retry_on_intr(|| Dir::read_from(&self.fd)).map_err(|e| failed(&self.path, e))?;
        for entry in dir {
            match entry {
                Ok(entry) => see(entry.file_name().to_bytes()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(failed(&self.path, error)),
            }
        }
        Ok(())
    }

    /// Reaches for a file: looked at before it is opened, opened without following, and locked.
    pub fn reach(&self, base: &[u8], extension: &str) -> Reach {
        let name = name(base, extension);
        let foreign = |why: &dyn std::fmt::Display| Reach::Foreign(self.err(&name, why));
        match retry_on_intr(|| statat(&self.fd, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW)) {
            Ok(about) if FileType::from_raw_mode(about.st_mode) == FileType::RegularFile => {}
            Ok(_) => return foreign(&"it is no regular file, and is left alone"),
            Err(Errno::NOENT) => return Reach::Passed,
            Err(error) => return foreign(&error),
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match retry_on_intr(|| openat(&self.fd, name.as_slice(), flags, Mode::empty())) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT) => return Reach::Passed,
            Err(error) => return foreign(&error),
        };
        let about = match file.metadata() {
            Ok(about) if about.is_file() => about,
            Ok(_) => return foreign(&"it is no regular file, and is left alone"),
            Err(error) => return foreign(&error),
        };
        // Any other answer means that there are no locks here: then the rename alone decides.
        let locked = retry_on_intr(|| flock(&file, FlockOperation::NonBlockingLockExclusive));
        if locked == Err(Errno::WOULDBLOCK) {
            return Reach::Passed;
        }
        let held = Held { base: base.to_vec(), inode: (i128::from(about.dev()), i128::from(about.ino())), file };
        // Between looking and locking another one may have had it.
        if self.is(&held, extension) { Reach::Got(held) } else { Reach::Passed }
    }

    fn is(&self, held: &Held, extension: &str) -> bool {
        let name = name(&held.base, extension);
        retry_on_intr(|| statat(&self.fd, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW))
            .is_ok_and(|about| (i128::from(about.st_dev), i128::from(about.st_ino)) == held.inode)
    }

    /// `.queued` becomes `.sending`, on the disk too. An error is the folder's, and meets every file of it.
    pub fn take(&self, held: &Held) -> Result<Take> {
        match self.rename(&held.base, QUEUED, SENDING) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(Take::Gone),
            Err(Errno::EXIST) => {
                let why = "a file of the same name is .sending, and is not overwritten";
                return Ok(Take::InTheWay(self.err(&name(&held.base, QUEUED), why)));
            }
            Err(error) => return Err(self.err(&name(&held.base, QUEUED), error)),
        }
        if let Err(error) = self.sync() {
            // Nothing was said of it yet.
            let _ = self.rename(&held.base, SENDING, QUEUED);
            return Err(error);
        }
        Ok(Take::Ours)
    }

    /// Renames without overwriting, where the file system knows that; else as well as can be.
    fn rename(&self, base: &[u8], from: &str, to: &str) -> std::result::Result<(), Errno> {
        self.rename_names(&name(base, from), &name(base, to))
    }

    fn rename_names(&self, from: &[u8], to: &[u8]) -> std::result::Result<(), Errno> {
        self.unsynced.store(true, Ordering::SeqCst);
        match retry_on_intr(|| renameat_with(&self.fd, from, &self.fd, to, RenameFlags::NOREPLACE)) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                match retry_on_intr(|| statat(&self.fd, to, AtFlags::SYMLINK_NOFOLLOW)) {
                    Err(Errno::NOENT) => retry_on_intr(|| renameat(&self.fd, from, &self.fd, to)),
                    Ok(_) => Err(Errno::EXIST),
                    Err(error) => Err(error),
                }
            }
            done => done,
        }
    }

    /// Puts a file away under another extension, or under a number besides where that name is taken. Gives the name.
    pub fn put(&self, held: &Held, from: &str, to: &str) -> Result<String> {
        for number in 0..TRIES {
            let target = match number {
                0 => held.base.clone(),
                n => [held.base.as_slice(), format!("-{n}").as_bytes()].concat(),
            };
            match self.rename_names(&name(&held.base, from), &name(&target, to)) {
                Ok(()) => return Ok(shown(&target, to)),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(self.err(&name(&held.base, from), error)),
            }
        }
        Err(self.err(&name(&held.base, from), "there is no free name"))
    }

    /// The message was sent: the file goes, or becomes `.sent`. A file that is not there any more was somebody's wish.
    pub fn sent(&self, held: &Held, keep: bool) -> Result<()> {
        if !self.is(held, SENDING) {
            return Ok(());
        }
        if keep {
            self.put(held, SENDING, SENT)?;
        } else {
            self.remove(&name(&held.base, SENDING))?;
        }
        self.remove(&name(&held.base, STATE))
    }

    pub(super) fn remove(&self, name: &[u8]) -> Result<()> {
        self.unsynced.store(true, Ordering::SeqCst);
        match retry_on_intr(|| unlinkat(&self.fd, name, AtFlags::empty())) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.err(name, error)),
        }
    }

    /// What is remembered of a file, if anything is.
    pub fn state(&self, base: &[u8]) -> Result<Option<State>> {
        let name = name(base, STATE);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match retry_on_intr(|| openat(&self.fd, name.as_slice(), flags, Mode::empty())) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(self.err(&name, error)),
        };
        let regular = file.metadata().map_err(|e| self.err(&name, e))?;
        if !regular.is_file() || regular.len() > STATE_LIMIT {
            return Err(self.err(&name, "it is no state of a queue file"));
        }
        let mut text = Vec::new();
        file.take(STATE_LIMIT).read_to_end(&mut text).map_err(|e| self.err(&name, e))?;
        State::read(&text).map(Some).ok_or_else(|| self.err(&name, "the state of the file is damaged"))
    }

    /// Remembers, on the disk, before the file itself gets another name.
    pub fn remember(&self, base: &[u8], state: &State) -> Result<()> {
        if state.is_empty() {
            return self.remove(&name(base, STATE));
        }
        let mut new = self.create()?;
        new.write_all(state.write().as_bytes())?;
        new.file.sync_all().map_err(|e| self.err(&name(base, STATE), e))?;
        let temporary = new.temporary.take().unwrap_or_default();
        let target = name(base, STATE);
        let done = retry_on_intr(|| renameat(&self.fd, temporary.as_slice(), &self.fd, target.as_slice()));
        if let Err(error) = done {
            let _ = self.remove(&temporary);
            return Err(self.err(&target, error));
        }
        self.sync()
    }

    pub(super) fn is_there(&self, base: &[u8], extension: &str) -> bool {
        retry_on_intr(|| statat(&self.fd, name(base, extension).as_slice(), AtFlags::SYMLINK_NOFOLLOW)).is_ok()
    }
}

/// A file that is being written; dropped before it is whole, it goes.
pub struct NewFile<'a> {
    folder: &'a Folder,
    pub file: File,
    base: String,
    temporary: Option<Vec<u8>>,
}

impl NewFile<'_> {
    fn write_all(&mut self, octets: &[u8]) -> Result<()> {
        std::io::Write::write_all(&mut self.file, octets).map_err(|e| failed(&self.folder.path, e))
    }

    /// The file is whole: on the disk, then under its name, and the name on the disk. Gives the name.
    pub fn commit(mut self) -> Result<String> {
        self.file.sync_all().map_err(|e| failed(&self.folder.path, e))?;
        let temporary = self.temporary.take().unwrap_or_default();
        let mut done = Err(Errno::EXIST);
        for _ in 0..TRIES {
            done = self.folder.rename_names(&temporary, &name(self.base.as_bytes(), QUEUED));
            if done != Err(Errno::EXIST) {
                break;
            }
            self.base = names::fresh()?;
        }
        if let Err(error) = done {
            self.temporary = Some(temporary);
            return Err(failed(&self.folder.path, error));
        }
        let name = shown(self.base.as_bytes(), QUEUED);
        if let Err(error) = self.folder.sync() {
            // Nobody is told its name, so nobody is to send it.
            let _ = self.folder.remove(name.as_bytes());
            return Err(error);
        }
        Ok(name)
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        unlock(&self.file);
        if let Some(temporary) = self.temporary.take() {
            let _ = self.folder.remove(&temporary);
        }
    }
}

/// What becomes of a file that was taken and not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    Queued,
    Failed,
}

impl Folder {
    /// Gives a `.sending` file another name, with what is remembered of it on the disk before. Gives the name.
    pub fn give_back(&self, held: &Held, to: Back, state: &State) -> Result<String> {
        let old = self.state(&held.base).unwrap_or_default().unwrap_or_default();
        if old != *state {
            self.remember(&held.base, state)?;
        }
        self.put(held, SENDING, if to == Back::Queued { QUEUED } else { FAILED })
    }
}
