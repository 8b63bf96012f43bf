//! The system's error numbers as the component's: 10000 plus what the number is in BSD, as Winsock counts them.

use crate::error::{Code, Error};
use std::io::{self, ErrorKind};

/// An error of a socket call; `what` says on what it was tried, with host and port.
pub fn from_io(error: &io::Error, what: &str) -> Error {
    Error::new(code(error), format!("{what}: {}", cause(error)))
}

/// The system's own words, without the number that std appends.
pub(crate) fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" (os error").unwrap_or(text.len());
    text[..end].to_owned()
}

pub(crate) fn code(error: &io::Error) -> Code {
    match error.raw_os_error() {
        Some(number) => code_of_errno(number),
        None => match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::WriteZero => Code::ConnectionDropped,
            ErrorKind::ConnectionReset => Code::ConnectionReset,
            ErrorKind::ConnectionAborted => Code::ConnectionAborted,
            ErrorKind::ConnectionRefused => Code::ConnectionRefused,
            ErrorKind::NotConnected => Code::SocketNotConnected,
            ErrorKind::TimedOut => Code::Timeout,
            ErrorKind::Interrupted => Code::InterruptedCall,
            ErrorKind::InvalidInput => Code::InvalidArgument,
            _ => Code::NetworkSubsystem,
        },
    }
}

fn code_of_errno(number: i32) -> Code {
    match number {
        // EPIPE is what a write gets after the peer closed in good order and then refused our bytes (Linux turns the
        // reset into EPIPE in CLOSE_WAIT), and after a reset that an earlier call has already told of. Either way it is
        // the peer that is gone, and nothing here aborted anything: 1120, not 10053.
        libc::EPIPE => Code::ConnectionDropped,
        libc::EINTR => Code::InterruptedCall,
        libc::EBADF => Code::BadFile,
        libc::EACCES | libc::EPERM => Code::AccessDenied,
        libc::EFAULT => Code::Fault,
        libc::EINVAL => Code::InvalidArgument,
        libc::EMFILE | libc::ENFILE => Code::TooManyFiles,
        libc::EAGAIN => Code::SocketWouldBlock,
        libc::EINPROGRESS => Code::InProgress,
        libc::EALREADY => Code::AlreadyInProgress,
        libc::ENOTSOCK => Code::NotSocket,
        libc::EDESTADDRREQ => Code::DestinationRequired,
        libc::EMSGSIZE => Code::MessageTooLong,
        libc::EPROTOTYPE => Code::WrongProtocolType,
        libc::ENOPROTOOPT => Code::BadProtocolOption,
        libc::EPROTONOSUPPORT => Code::ProtocolNotSupported,
        libc::ESOCKTNOSUPPORT => Code::SocketTypeNotSupported,
        libc::EOPNOTSUPP => Code::OperationNotSupported,
        libc::EPFNOSUPPORT => Code::ProtocolFamilyNotSupported,
        libc::EAFNOSUPPORT => Code::AddressFamilyNotSupported,
        libc::EADDRINUSE => Code::AddressInUse,
        libc::EADDRNOTAVAIL => Code::AddressNotAvailable,
        libc::ENETDOWN => Code::NetworkDown,
        libc::ENETUNREACH => Code::NetworkUnreachable,
        libc::ENETRESET => Code::NetworkReset,
        libc::ECONNABORTED => Code::ConnectionAborted,
        libc::ECONNRESET => Code::ConnectionReset,
        libc::ENOBUFS | libc::ENOMEM => Code::NoBufferSpace,
        libc::EISCONN => Code::IsConnected,
        libc::ENOTCONN => Code::SocketNotConnected,
        libc::ESHUTDOWN => Code::Shutdown,
        libc::ETOOMANYREFS => Code::TooManyReferences,
        libc::ETIMEDOUT => Code::ConnectionTimedOut,
        libc::ECONNREFUSED => Code::ConnectionRefused,
        libc::ELOOP => Code::TooManyLinks,
        libc::ENAMETOOLONG => Code::NameTooLong,
        libc::EHOSTDOWN => Code::HostDown,
        libc::EHOSTUNREACH => Code::HostUnreachable,
        libc::ENOTEMPTY => Code::DirectoryNotEmpty,
        libc::EUSERS => Code::TooManyUsers,
        libc::EDQUOT => Code::QuotaExceeded,
        libc::ESTALE => Code::StaleHandle,
        libc::EREMOTE => Code::TooManyRemote,
        _ => Code::NetworkSubsystem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_errors_have_the_numbers_of_the_list() {
        let number = |errno| code(&io::Error::from_raw_os_error(errno)) as i32;
        assert_eq!(number(libc::ECONNRESET), 10054);
        assert_eq!(number(libc::ECONNREFUSED), 10061);
        assert_eq!(number(libc::EMFILE), 10024);
        assert_eq!(number(libc::EADDRINUSE), 10048);
        assert_eq!(number(libc::EADDRNOTAVAIL), 10049);
        assert_eq!(number(libc::ENETUNREACH), 10051);
        assert_eq!(number(libc::EHOSTUNREACH), 10065);
        assert_eq!(number(libc::EPIPE), 1120);
    }

    #[test]
    fn the_text_names_the_subject_and_the_cause() {
        let error = from_io(&io::Error::from_raw_os_error(libc::ECONNREFUSED), "mail.example:25");
        assert_eq!(error.message, "mail.example:25: Connection refused");
        let error = from_io(&io::Error::new(ErrorKind::UnexpectedEof, "cut"), "mail.example:25");
        assert_eq!((error.code, error.message.as_str()), (Code::ConnectionDropped, "mail.example:25: cut"));
    }
}
