//! RecipientResult…: what became of each recipient of the last Send.

use crate::error::{Code, Error, Result};
use crate::smtp::envelope::Outcome;

/// One entry a recipient, in the order of the envelope.
#[derive(Default)]
pub struct Results {
    list: Vec<Outcome>,
}

impl Results {
    pub fn clear(&mut self) {
        self.list.clear();
    }

    pub fn set(&mut self, list: Vec<Outcome>) {
        self.list = list;
    }

    pub fn list(&self) -> &[Outcome] {
        &self.list
    }

    fn at(&self, index: i32) -> Result<&Outcome> {
        usize::try_from(index).ok().and_then(|i| self.list.get(i)).ok_or_else(|| {
            Error::new(Code::Index, format!("there is no result {index}, there are {}", self.list.len()))
        })
    }

    pub fn recipient_result_count(&self) -> i32 {
        i32::try_from(self.list.len()).unwrap_or(i32::MAX)
    }

    pub fn recipient_result_address(&self, index: i32) -> Result<String> {
        Ok(self.at(index)?.address.clone())
    }

    pub fn recipient_result_phase(&self, index: i32) -> Result<String> {
        Ok(self.at(index)?.phase.text().to_string())
    }

    pub fn recipient_result_code(&self, index: i32) -> Result<i32> {
        Ok(i32::from(self.at(index)?.code))
    }

    pub fn recipient_result_enhanced_code(&self, index: i32) -> Result<String> {
        Ok(self.at(index)?.enhanced.clone())
    }

    pub fn recipient_result_text(&self, index: i32) -> Result<String> {
        Ok(self.at(index)?.text.clone())
    }

    pub fn recipient_result_accepted(&self, index: i32) -> Result<bool> {
        Ok(self.at(index)?.accepted)
    }

    pub fn recipient_result_temporary(&self, index: i32) -> Result<bool> {
        Ok(self.at(index)?.temporary())
    }
}
