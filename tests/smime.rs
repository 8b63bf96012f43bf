//! S/MIME as a caller meets it: through the C ABI to the embedded server, and what arrived read by `openssl cms`.

mod common;

#[path = "smime/bcc.rs"]
mod bcc;
#[path = "smime/forms.rs"]
mod forms;
#[path = "smime/headers.rs"]
mod headers;
#[path = "smime/people.rs"]
mod people;
#[path = "smime/queued.rs"]
mod queued;
#[path = "smime/read_back.rs"]
mod read_back;
#[path = "smime/streamed.rs"]
mod streamed;
