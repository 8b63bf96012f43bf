//! Text without any knowledge of messages: charsets, header words and folding, dates, line checks, secrets,
//! media types.

pub mod charset;
pub mod code_page;
pub mod date;
pub mod encoded_word;
pub mod fold;
pub mod line;
pub mod mask;
pub mod media_type;
pub mod param;
