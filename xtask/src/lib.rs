//! The API description and everything generated from it, and the embedded SMTP server that tests and the demo talk to.

pub mod r#gen;
pub mod model;
pub mod server;
pub mod site;
