//! MessageHeadersString, MessageHeaders, TransferText: what was, or would be, sent (ruling 28).

use super::Component;
use super::send::compose_options;
use crate::error::{Code, Error, Result};
use crate::message::compose::{self, Composed};
use crate::smtp::dot::normalise;

impl Component {
    /// The message as it stands; `None` before anything of it is set.
    fn composed(&self) -> Result<Option<Composed>> {
        // Composing may look at files: that is not done under the lock of the state, so that getters go on meanwhile; two
        // that compose at once would make up two Message-IDs.
        let _one_at_a_time = self.composing.lock();
        let (draft, options, caps, mut generated) = {
            let state = self.state.lock();
            if state.message.is_blank() {
                return Ok(None);
            }
            (state.message.clone(), compose_options(&state), state.caps, state.generated.clone())
        };
        let composed = compose::compose(&draft, &options, caps, &mut generated);
        let mut state = self.state.lock();
        if state.message.revision == draft.revision {
            state.generated = generated;
        }
        composed.map(Some)
    }

    fn header_bytes(&self) -> Result<Vec<u8>> {
        Ok(self.composed()?.map(|c| c.headers).unwrap_or_default())
    }

    pub(super) fn read_message_headers_string(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.header_bytes()?).into_owned())
    }

    pub(super) fn read_message_header_count(&self) -> Result<i32> {
        let all = compose::header_list(&self.header_bytes()?);
        Ok(i32::try_from(all.len()).unwrap_or(i32::MAX))
    }

    pub(super) fn read_message_header_field(&self, index: i32) -> Result<String> {
        self.header(index).map(|(field, _)| field)
    }

    pub(super) fn read_message_header_value(&self, index: i32) -> Result<String> {
        self.header(index).map(|(_, value)| value)
    }

    fn header(&self, index: i32) -> Result<(String, String)> {
        let mut all = compose::header_list(&self.header_bytes()?);
        match usize::try_from(index) {
            Ok(at) if at < all.len() => Ok(all.swap_remove(at)),
            _ => Err(Error::new(Code::Index, format!("there is no header {index}, there are {}", all.len()))),
        }
    }

    /// The body with CRLF line ends and its last line ended, before dot-stuffing.
    pub(super) fn transfer_text(&self) -> Result<String> {
        let Some(composed) = self.composed()? else { return Ok(String::new()) };
        let body = compose::kept_body(&composed)?;
        let mut text = normalise(&[&body]);
        if !text.is_empty() && !text.ends_with(b"\r\n") {
            text.extend_from_slice(b"\r\n");
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
