//! The system calls that std and socket2 lack: poll, getaddrinfo with its own error number, gethostname, and a thread
//! start that keeps the host's signals out. POSIX.1-2017; send flags as in send(2).

use socket2::Socket;
use std::ffi::{CStr, c_int};
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsRawFd;
use std::time::Duration;

/// On every send. Darwin got the flag late, so there SO_NOSIGPIPE does it, which socket2 sets on each new socket.
#[cfg(not(target_vendor = "apple"))]
pub(crate) const NO_SIGNAL: c_int = libc::MSG_NOSIGNAL;
#[cfg(target_vendor = "apple")]
pub(crate) const NO_SIGNAL: c_int = 0;

/// "More is coming": hold back a segment that is not full.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const MORE: c_int = libc::MSG_MORE;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const MORE: c_int = 0;

/// How many parts one sendmsg takes: IOV_MAX of Linux and Darwin.
pub(crate) const MAX_PARTS: usize = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ready {
    Read,
    Write,
    /// Only an error, or the end of both directions.
    Broken,
}

impl Ready {
    fn events(self) -> i16 {
        match self {
            Ready::Read => libc::POLLIN,
            Ready::Write => libc::POLLOUT,
            Ready::Broken => 0,
        }
    }
}

/// One poll(2): true when a read or write would not block (an error or the end counts). Rounds the time up.
/// A signal is an error here, so that the caller looks at its deadline. Not select(2): descriptors may pass 1024.
pub(crate) fn poll(socket: &Socket, ready: Ready, timeout: Option<Duration>) -> io::Result<bool> {
    let mut entry = libc::pollfd { fd: socket.as_raw_fd(), events: ready.events(), revents: 0 };
    poll_entries(std::slice::from_mut(&mut entry), timeout)
}

/// [`poll`] for several sockets: for each, in their order, whether it is ready.
pub(crate) fn poll_each<'a>(
    sockets: impl Iterator<Item = &'a Socket>,
    ready: Ready,
    timeout: Option<Duration>,
) -> io::Result<Vec<bool>> {
    let mut entries: Vec<libc::pollfd> =
        sockets.map(|socket| libc::pollfd { fd: socket.as_raw_fd(), events: ready.events(), revents: 0 }).collect();
    poll_entries(&mut entries, timeout)?;
    Ok(entries.iter().map(|entry| entry.revents != 0).collect())
}

fn poll_entries(entries: &mut [libc::pollfd], timeout: Option<Duration>) -> io::Result<bool> {
    let millis = match timeout {
        None => -1,
        Some(time) => c_int::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX),
    };
    // SAFETY: pointer and count are those of a slice that lives through the call; poll writes `revents` only, and an
    // entry whose descriptor was closed is answered with POLLNVAL.
    match unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, millis) } {
        -1 => Err(io::Error::last_os_error()),
        count => Ok(count > 0),
    }
}

/// Why getaddrinfo failed.
#[derive(Debug)]
pub(crate) enum LookupError {
    /// An `EAI_` number and its text.
    Resolver(c_int, String),
    System(io::Error),
}

/// getaddrinfo(3) for stream sockets: the addresses in the system's order.
pub(crate) fn lookup(host: &CStr, family: c_int) -> Result<Vec<IpAddr>, LookupError> {
    // SAFETY: addrinfo is integers and pointers, for which all zero bits are valid: no flags, no list.
    let mut hints: libc::addrinfo = unsafe { MaybeUninit::zeroed().assume_init() };
    hints.ai_family = family;
    hints.ai_socktype = libc::SOCK_STREAM;
    let mut list: *mut libc::addrinfo = std::ptr::null_mut();
    // SAFETY: `host` is NUL-terminated, the service may be null, `hints` and `list` live through the call.
    let status = unsafe { libc::getaddrinfo(host.as_ptr(), std::ptr::null(), &hints, &mut list) };
    if status == libc::EAI_SYSTEM {
        return Err(LookupError::System(io::Error::last_os_error()));
    }
    if status != 0 {
        // SAFETY: gai_strerror returns a static NUL-terminated text for every number.
        let text = unsafe { CStr::from_ptr(libc::gai_strerror(status)) };
        return Err(LookupError::Resolver(status, text.to_string_lossy().into_owned()));
    }
    let mut addresses = Vec::new();
    let mut next = list;
    while !next.is_null() {
        // SAFETY: `next` is a node of the list that getaddrinfo returned and that is freed only below.
        let entry = unsafe { &*next };
        // SAFETY: getaddrinfo sets ai_addr and ai_addrlen together with ai_family.
        if let Some(address) = unsafe { address_of(entry) }
            && !addresses.contains(&address)
        {
            addresses.push(address);
        }
        next = entry.ai_next;
    }
    // SAFETY: `list` came from getaddrinfo, is not null after success, and no reference into it is left.
    unsafe { libc::freeaddrinfo(list) };
    Ok(addresses)
}

/// # Safety
/// `ai_addr` is null or points to `ai_addrlen` readable bytes holding an address of `ai_family`.
unsafe fn address_of(entry: &libc::addrinfo) -> Option<IpAddr> {
    let length = entry.ai_addrlen as usize;
    if entry.ai_addr.is_null() {
        return None;
    }
    match entry.ai_family {
        libc::AF_INET if length >= size_of::<libc::sockaddr_in>() => {
            // SAFETY: the family says sockaddr_in and the length covers it; the read needs no alignment.
            let address = unsafe { entry.ai_addr.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(IpAddr::V4(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr))))
        }
        libc::AF_INET6 if length >= size_of::<libc::sockaddr_in6>() => {
            // SAFETY: the family says sockaddr_in6 and the length covers it; the read needs no alignment.
            let address = unsafe { entry.ai_addr.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(IpAddr::V6(Ipv6Addr::from(address.sin6_addr.s6_addr)))
        }
        _ => None,
    }
}

/// Runs `start` with every signal blocked in this thread: a thread that it starts inherits that, and the host's
/// handlers never run on a thread that the host does not know.
pub(crate) fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    struct Restore(libc::sigset_t);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: the set was filled in by pthread_sigmask; the old set is not asked for.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut()) };
        }
    }
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut old = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset initialises `all` before pthread_sigmask reads it; on success pthread_sigmask fills `old`, and
    // only then is `old` taken as initialised.
    let restore = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        let status = libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), old.as_mut_ptr());
        (status == 0).then(|| Restore(old.assume_init()))
    };
    let result = start();
    drop(restore);
    result
}

/// Seconds east of Greenwich that the system's zone has at a time; 0 when the system does not know.
pub fn local_offset(seconds: i64) -> i32 {
    // time_t is narrower than i64 on some systems.
    let time = seconds as libc::time_t;
    let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to live values of the right type, and localtime_r keeps neither.
    let done = unsafe { libc::localtime_r(&time, parts.as_mut_ptr()) };
    if done.is_null() {
        return 0;
    }
    // SAFETY: the struct was zeroed, which is a valid `tm`, and localtime_r has filled it.
    unsafe { parts.assume_init() }.tm_gmtoff as i32
}

/// The name of this host, gethostname(); None where the system does not tell or the name is no text.
pub fn host_name() -> Option<String> {
    let mut buffer = [0u8; 256];
    // SAFETY: the buffer is as long as is said, and its last byte is not given away, so that a NUL follows in any case.
    let done = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) };
    if done != 0 {
        return None;
    }
    let end = buffer.iter().position(|&b| b == 0)?;
    let name = std::str::from_utf8(&buffer[..end]).ok()?;
    (!name.is_empty()).then(|| name.to_string())
}

/// What tests need from the system. Signals are aimed at one thread: the process's other threads notice nothing.
#[cfg(test)]
pub(crate) mod testing {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::Duration;

    static SEEN: AtomicU64 = AtomicU64::new(0);

    extern "C" fn count(_: libc::c_int) {
        SEEN.fetch_add(1, Ordering::Relaxed);
    }

    /// SIGUSR2 to the calling thread every millisecond while `work` runs; returns how many arrived as well.
    pub(crate) fn storm<T>(work: impl FnOnce() -> T) -> (T, u64) {
        // SAFETY: the handler only adds to an atomic; without SA_RESTART, so that calls end with EINTR.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = count as *const () as libc::sighandler_t;
            assert_eq!(libc::sigaction(libc::SIGUSR2, &action, std::ptr::null_mut()), 0);
        }
        // SAFETY: pthread_self has no preconditions.
        let target = unsafe { libc::pthread_self() } as usize;
        let stop = Arc::new(AtomicBool::new(false));
        let before = SEEN.load(Ordering::Relaxed);
        let sender = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                while !stop.load(Ordering::Relaxed) {
                    // SAFETY: the target thread joins this one before it ends, so its id is valid.
                    unsafe { libc::pthread_kill(target as libc::pthread_t, libc::SIGUSR2) };
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        });
        let result = work();
        stop.store(true, Ordering::Relaxed);
        sender.join().unwrap();
        (result, SEEN.load(Ordering::Relaxed) - before)
    }

    /// Whether `work` raised SIGPIPE in this thread. A blocked signal stays pending even where it is ignored.
    #[cfg(target_os = "linux")]
    pub(crate) fn raises_sigpipe(work: impl FnOnce()) -> bool {
        // SAFETY: the sets are initialised by sigemptyset or by the calls that fill them before they are read; the time
        // limit of zero only takes what is pending.
        unsafe {
            let mut pipe: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut pipe);
            libc::sigaddset(&mut pipe, libc::SIGPIPE);
            let mut old: libc::sigset_t = std::mem::zeroed();
            assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, &pipe, &mut old), 0);
            work();
            let mut pending: libc::sigset_t = std::mem::zeroed();
            assert_eq!(libc::sigpending(&mut pending), 0);
            let raised = libc::sigismember(&pending, libc::SIGPIPE) == 1;
            let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            libc::sigtimedwait(&pipe, std::ptr::null_mut(), &at_once);
            libc::pthread_sigmask(libc::SIG_SETMASK, &old, std::ptr::null_mut());
            raised
        }
    }

    /// The bytes that the kernel holds back (tcp(7), SIOCOUTQNSD).
    #[cfg(target_os = "linux")]
    pub(crate) fn unsent(socket: &socket2::Socket) -> i32 {
        use std::os::fd::AsRawFd;
        const SIOCOUTQNSD: libc::Ioctl = 0x894B;
        let mut count = 0;
        // SAFETY: the request writes one int through the pointer, and `count` is one.
        assert_eq!(unsafe { libc::ioctl(socket.as_raw_fd(), SIOCOUTQNSD, &mut count) }, 0);
        count
    }

    /// The same socket under a descriptor of `least` or more, unless the process may not have as many.
    pub(crate) fn duplicate_above(socket: &socket2::Socket, least: libc::c_int) -> Option<socket2::Socket> {
        use std::os::fd::{AsRawFd, FromRawFd};
        // SAFETY: the calls fill in and read one rlimit; fcntl's result is a new descriptor that nobody else owns.
        unsafe {
            let mut limit: libc::rlimit = std::mem::zeroed();
            assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
            limit.rlim_cur = limit.rlim_cur.max(least as libc::rlim_t + 1_000).min(limit.rlim_max);
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
            let high = libc::fcntl(socket.as_raw_fd(), libc::F_DUPFD_CLOEXEC, least);
            (high >= 0).then(|| socket2::Socket::from_raw_fd(high))
        }
    }
}
