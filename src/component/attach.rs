//! What goes beside the text: attachments and inline parts, from files, octets and streams.

use super::Component;
use crate::error::{Code, Error, Result};
use crate::message::attachment::{Content, Part};

impl Component {
    pub fn add_attachment(&self, content: Content, name: &str, content_type: &str) -> Result<()> {
        let part = Part::attachment(content, name, content_type)?;
        self.state.lock().message.add_part(part);
        Ok(())
    }

    pub fn add_inline(&self, content: Content, content_id: &str, content_type: &str) -> Result<()> {
        let part = Part::inline(content, content_id, content_type)?;
        self.state.lock().message.add_part(part);
        Ok(())
    }

    pub fn add_attachment_file(&self, path: &str, name: &str, content_type: &str) -> Result<()> {
        self.add_attachment(file(path)?, name, content_type)
    }

    pub fn add_attachment_data(&self, data: &[u8], name: &str, content_type: &str) -> Result<()> {
        self.add_attachment(Content::Bytes(data.into()), name, content_type)
    }

    pub fn add_inline_file(&self, path: &str, content_id: &str, content_type: &str) -> Result<()> {
        self.add_inline(file(path)?, content_id, content_type)
    }

    pub fn add_inline_data(&self, data: &[u8], content_id: &str, content_type: &str) -> Result<()> {
        self.add_inline(Content::Bytes(data.into()), content_id, content_type)
    }

    pub fn clear_attachments(&self) -> Result<()> {
        self.state.lock().message.clear_parts();
        Ok(())
    }
}

fn file(path: &str) -> Result<Content> {
    if path.is_empty() || path.contains('\0') {
        return Err(Error::new(Code::ValueRefused, "the path of an attachment is empty or holds NUL"));
    }
    Ok(Content::File(path.into()))
}
