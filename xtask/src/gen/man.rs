//! Generator: the manual page `docs/man/ssmtp.3`, in the macros of man(7). What a row means is its `doc`; by hand is only the
//! beginning, which says how the calls fit together.

use super::docs::{prototype, with_default};
use super::{File, MARK};
use crate::model::{Api, Status};
use std::fmt::Write;

pub fn files(api: &Api) -> Vec<File> {
    let mut out =
        format!(".\\\" {MARK}\n.TH SSMTP 3 \"\" \"libssmtp {}\" \"Library functions\"\n", env!("CARGO_PKG_VERSION"));
    out.push_str(BEGINNING);
    out.push_str(".SH METHODS\n");
    for method in api.methods.iter().filter(|m| m.status != Status::Planned) {
        let _ = writeln!(out, ".TP\n.B ssmtp_{}\n{}", method.name, text(&method.doc));
    }
    out.push_str(".SH HANDLES, CERTIFICATES, STREAMS\n");
    for function in api.c_functions().iter().filter(|f| f.manual && f.status != Status::Planned) {
        let _ = writeln!(out, ".TP\n.B {}\n{}", text(&prototype(function)), text(&function.doc));
    }
    out.push_str(".SH PROPERTIES\nEach is read by\n.BI ssmtp_get_ name\nand, unless it says read-only, written by\n.BI ssmtp_set_ name .\n");
    for property in api.properties.iter().filter(|p| p.family.is_empty() && p.status != Status::Planned) {
        let _ = writeln!(
            out,
            ".TP\n.BR {} \" (\" {} )\n{}",
            property.name,
            text(&property.spec),
            text(&with_default(api, property))
        );
    }
    out.push_str(".SH EVENTS\nA callback is set by\n.BI ssmtp_on_ name .\nIt returns 0 to go on; anything else ends the operation with 301.\n");
    for event in api.events.iter().filter(|e| e.status != Status::Planned) {
        let _ = writeln!(out, ".TP\n.B {}\n{}", event.name, text(&event.doc));
    }
    out.push_str(".SH SETTINGS\nFor\n.BR ssmtp_config .\n");
    for setting in api.settings.iter().filter(|s| s.status != Status::Planned) {
        let _ = writeln!(out, ".TP\n.B {}\n{}", text(&setting.spec), text(&setting.doc));
    }
    out.push_str(".SH ERRORS\n");
    for error in &api.errors {
        let _ = writeln!(out, ".TP\n.B {}\n{}", error.code, text(&error.doc));
    }
    out.push_str(END);
    vec![File::new("docs/man/ssmtp.3", out)]
}

/// Text that troff takes as it is: ASCII, no escapes, no line that begins with a control character, no Markdown.
fn text(doc: &str) -> String {
    let plain = doc.replace('\\', "\\e").replace('`', "").replace('-', "\\-").replace(['\n', '\r'], " ");
    let named = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\[u{:04X}]", u32::from(c)) };
    let plain: String = plain.chars().map(named).collect();
    match plain.chars().next() {
        Some('.' | '\'') => format!("\\&{plain}"),
        _ => plain,
    }
}

const BEGINNING: &str = r#".SH NAME
ssmtp \- send Internet mail: SMTP with TLS, logins, proxies, a queue and S/MIME
.SH SYNOPSIS
.nf
.B #include <ssmtp.h>
.sp
.BI "ssmtp_t *ssmtp_new(void);"
.BI "int32_t ssmtp_set_mail_server(ssmtp_t *" handle ", const char *" value );
.BI "int32_t ssmtp_set_from(ssmtp_t *" handle ", const char *" value );
.BI "int32_t ssmtp_set_send_to(ssmtp_t *" handle ", const char *" value );
.BI "int32_t ssmtp_set_message_text(ssmtp_t *" handle ", const char *" value );
.BI "int32_t ssmtp_send(ssmtp_t *" handle );
.BI "int32_t ssmtp_last_error(ssmtp_t *" handle ", char **" text );
.BI "int32_t ssmtp_delete(ssmtp_t *" handle );
.sp
Link with \fI\-lssmtp\fP, or with what \fBpkg\-config \-\-cflags \-\-libs ssmtp\fP says.
.fi
.SH DESCRIPTION
One handle is one client with its message. Properties say where, to whom and what; methods do it; callbacks tell what happens
meanwhile. Every function returns 0 or an error number, and
.B ssmtp_last_error
has one line about it. The handle comes first, outputs come last and are written only on success.
.PP
Text is NUL\-terminated UTF\-8, and NULL is the empty text. Octets are a pointer and a length. Booleans, enumerations and flags are
.BR int32_t .
What comes through a pointer is released with
.BR ssmtp_free ,
a certificate with
.BR ssmtp_cert_delete .
.PP
Any thread may call any function on any handle. A second blocking method on a handle that is at work is error 166;
.B ssmtp_interrupt
ends the one that runs. Callbacks run on the thread of the method, with no lock held, and may call getters, setters and
.BR ssmtp_delete ;
a blocking method on the same handle is error 166 there, too.
A handle that was deleted, or never was one, is error 608. The library raises no SIGPIPE, sets no signal handler and writes nothing to
standard output or standard error.
.PP
.BI ssmtp_get( handle ", \(dq" Name "\(dq, &" text )
and
.BI ssmtp_set( handle ", \(dq" Name "\(dq, " text )
reach every property by its name, and
.BI ssmtp_config( handle ", \(dq" Name = Value "\(dq, " NULL )
every setting.
"#;

const END: &str = r#".SH EXAMPLE
.nf
ssmtp_t *smtp = ssmtp_new();
ssmtp_set_mail_server(smtp, "mail.example");
ssmtp_set_mail_port(smtp, 587);
ssmtp_set_from(smtp, "me@a.example");
ssmtp_set_send_to(smtp, "you@b.example");
ssmtp_set_subject(smtp, "Hello");
ssmtp_set_message_text(smtp, "Hi there\er\en");
if (ssmtp_send(smtp) != 0) {
    char *text = NULL;
    ssmtp_last_error(smtp, &text);
    fprintf(stderr, "%s\en", text);
    ssmtp_free(text);
}
ssmtp_delete(smtp);
.fi
.SH SEE ALSO
.BR ssmtp (1),
RFC 5321, RFC 5322, RFC 8551
"#;
