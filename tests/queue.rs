//! The queue through the C ABI: files in a folder, a server that takes them, refuses them, or goes away.

mod common;

#[path = "queue/damage.rs"]
mod damage;
#[path = "queue/delivery.rs"]
mod delivery;
#[path = "queue/failures.rs"]
mod failures;
#[path = "queue/retry.rs"]
mod retry;
#[path = "queue/together.rs"]
mod together;

use common::{Failure, Handle};
use ssmtp::ffi::*;
use std::ffi::{CStr, CString};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use xtask::server::{Options, Server};

pub fn server(extensions: &str, faults: &[&str]) -> Server {
    let options = Options::default().offer(extensions);
    Server::start(faults.iter().fold(options, |o, f| o.fault(f))).expect("a port is free")
}

/// A folder that goes with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn temporary() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let path = std::env::temp_dir().join(format!("ssmtp-queues-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub fn names(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.0).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// The extensions, in the order of the names.
    pub fn extensions(&self) -> Vec<String> {
        self.names().iter().map(|n| n.rsplit('.').next().unwrap().to_string()).collect()
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn outcome(handle: &Handle, code: i32) -> Result<(), Failure> {
    if code == 0 { Ok(()) } else { Err(Failure { code, text: handle.last_error() }) }
}

type TextCall = unsafe extern "C" fn(*mut ssmtp_t, *const std::ffi::c_char, *mut *mut std::ffi::c_char) -> i32;

fn text_call(handle: &Handle, call: TextCall, argument: &str) -> Result<String, Failure> {
    let argument = CString::new(argument).unwrap();
    let mut text = std::ptr::null_mut();
    // SAFETY: both live for the call; the text is released once.
    unsafe {
        outcome(handle, call(handle.raw(), argument.as_ptr(), &mut text))?;
        let copy = CStr::from_ptr(text).to_str().unwrap().to_string();
        ssmtp_free(text.cast());
        Ok(copy)
    }
}

pub fn queue(handle: &Handle, folder: &str) -> Result<String, Failure> {
    text_call(handle, ssmtp_queue, folder)
}

pub fn recover(handle: &Handle, folder: &str) -> Result<String, Failure> {
    text_call(handle, ssmtp_recover_queue, folder)
}

pub fn process(handle: &Handle, folder: &Folder) -> Result<(), Failure> {
    let path = CString::new(folder.path()).unwrap();
    // SAFETY: the text lives for the call.
    outcome(handle, unsafe { ssmtp_process_queue(handle.raw(), path.as_ptr()) })
}

pub fn send_queued(handle: &Handle, text: &str) -> Result<(), Failure> {
    let text = CString::new(text).unwrap();
    // SAFETY: as above.
    outcome(handle, unsafe { ssmtp_send_queued(handle.raw(), text.as_ptr()) })
}

/// A handle with a message from NAME, without a server.
pub fn message(name: &str, text: &str) -> Handle {
    let handle = Handle::new();
    let from = format!("{name}@client.example");
    for (name, value) in
        [("From", from.as_str()), ("SendTo", "to@server.example"), ("Subject", name), ("MessageText", text)]
    {
        handle.must_set(name, value);
    }
    handle
}

/// Queues a message from each of the names.
pub fn fill(folder: &Folder, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| queue(&message(name, "Hi\r\n"), folder.path()).unwrap()).collect()
}

/// The texts of the Error events.
pub fn errors(handle: &Handle) -> Vec<String> {
    handle.events().into_iter().filter(|e| e.name == "Error").map(|e| e.text).collect()
}

/// Whose messages arrived, in order.
pub fn arrived(server: &Server) -> Vec<String> {
    let name = |line: &str| {
        let address = line.split_once('<').unwrap().1.split_once('>').unwrap().0.to_string();
        address.split('@').next().unwrap().to_string()
    };
    server.messages().iter().map(|m| name(&m.mail_from)).collect()
}
