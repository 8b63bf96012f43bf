//! Errors of the system: each has the number that the specification lists, 10000 and what BSD counts it as.

use ssmtp::net::errno::from_io;
use std::io;

#[test]
fn every_error_of_a_socket_has_its_number() {
    let number = |errno| from_io(&io::Error::from_raw_os_error(errno), "mail.example:25").code as i32;
    for (errno, code) in [
        (libc::EINTR, 10004),
        (libc::EBADF, 10009),
        (libc::EACCES, 10013),
        (libc::EPERM, 10013),
        (libc::EFAULT, 10014),
        (libc::EINVAL, 10022),
        (libc::EMFILE, 10024),
        (libc::ENFILE, 10024),
        (libc::EAGAIN, 10035),
        (libc::EINPROGRESS, 10036),
        (libc::EALREADY, 10037),
        (libc::ENOTSOCK, 10038),
        (libc::EDESTADDRREQ, 10039),
        (libc::EMSGSIZE, 10040),
        (libc::EPROTOTYPE, 10041),
        (libc::ENOPROTOOPT, 10042),
        (libc::EPROTONOSUPPORT, 10043),
        (libc::ESOCKTNOSUPPORT, 10044),
        (libc::EOPNOTSUPP, 10045),
        (libc::EPFNOSUPPORT, 10046),
        (libc::EAFNOSUPPORT, 10047),
        (libc::EADDRINUSE, 10048),
        (libc::EADDRNOTAVAIL, 10049),
        (libc::ENETDOWN, 10050),
        (libc::ENETUNREACH, 10051),
        (libc::ENETRESET, 10052),
        (libc::ECONNABORTED, 10053),
        (libc::ECONNRESET, 10054),
        (libc::ENOBUFS, 10055),
        (libc::EISCONN, 10056),
        (libc::ENOTCONN, 10057),
        (libc::ESHUTDOWN, 10058),
        (libc::ETOOMANYREFS, 10059),
        (libc::ETIMEDOUT, 10060),
        (libc::ECONNREFUSED, 10061),
        (libc::ELOOP, 10062),
        (libc::ENAMETOOLONG, 10063),
        (libc::EHOSTDOWN, 10064),
        (libc::EHOSTUNREACH, 10065),
        (libc::ENOTEMPTY, 10066),
        (libc::EUSERS, 10068),
        (libc::EDQUOT, 10069),
        (libc::ESTALE, 10070),
        (libc::EREMOTE, 10071),
        // What the list has no number for.
        (libc::EIO, 10091),
    ] {
        assert_eq!(number(errno), code, "{}", io::Error::from_raw_os_error(errno));
    }
}
