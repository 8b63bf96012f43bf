//! `Config`: settings read and written, shared ones through their property, checked ones checked.

use super::Component;
use crate::config::{self, Access, Row, Setting, Value};
use crate::error::{Code, Error, Result};
use crate::message::compose::IdAlgorithm;
use crate::text::charset::Charset;
use crate::text::line;

impl Component {
    /// "Name" gives the value; "Name=Value" sets it and gives "".
    pub fn config(&self, text: &str) -> Result<String> {
        let (name, value) = config::split(text);
        let row = config::find(name)?;
        match value {
            None => self.read_setting(row),
            Some(value) => self.write_setting(row, value).map(|()| String::new()),
        }
    }

    fn read_setting(&self, row: &Row) -> Result<String> {
        if row.access == Access::Wo {
            return Err(Error::new(Code::Access, format!("{} cannot be read", row.name)));
        }
        if !row.property.is_empty() {
            return self.get(row.property);
        }
        let state = self.state.lock();
        Ok(match row.setting {
            Setting::Hello => state.hello(),
            Setting::LocalPort if state.server.connected => state.server.local_port().to_string(),
            Setting::TransferText => {
                drop(state);
                return self.transfer_text();
            }
            Setting::BuildInfo => format!("libssmtp {} {}", env!("CARGO_PKG_VERSION"), COMMIT),
            Setting::LicenseInfo => license(),
            Setting::MaskSensitiveData => state.settings.get(Setting::MaskSensitive).to_string(),
            setting => state.settings.get(setting).to_string(),
        })
    }

    fn write_setting(&self, row: &Row, text: &str) -> Result<()> {
        if row.access == Access::Ro {
            return Err(Error::new(Code::Access, format!("{} is read-only", row.name)));
        }
        if !row.property.is_empty() {
            return self.set(row.property, text);
        }
        let value = row.parse(text)?;
        if row.planned {
            return super::planned_set(value == row.initial(), row.name);
        }
        let mut state = self.state.lock();
        match row.setting {
            Setting::LocalPort => state.server.unconnected(Code::LocalPortConnected, "LocalPort")?,
            Setting::MaxLineLength => state.server.unconnected(Code::MaxLineLengthConnected, "MaxLineLength")?,
            Setting::Hello => check_hello(text)?,
            Setting::Charset if !text.is_empty() => Charset::find(text).map(drop)?,
            Setting::MessageIdAlgorithm => check_id_algorithm(text)?,
            Setting::MaskSensitiveData => {
                state.settings.set(Setting::MaskSensitive, value);
                return Ok(());
            }
            _ => {}
        }
        if let Value::Text(text) = &value {
            line::refuse_crlf_nul(row.name, text)?;
        }
        state.settings.set(row.setting, value);
        // What is generated for a message (Message-ID, folding) depends on settings too.
        state.message.revision += 1;
        Ok(())
    }
}

/// The commit this was built from, where the build knew it.
const COMMIT: &str = match option_env!("SSMTP_COMMIT") {
    Some(commit) => commit,
    None => "(no commit recorded)",
};

/// The specification's five lines (ruling 29).
fn license() -> String {
    [
        "Product: libssmtp",
        "Product Key: none",
        "License Source: built in",
        "License Type: MIT OR Apache-2.0",
        "Last Valid Build: any",
    ]
    .join("\r\n")
}

fn check_hello(text: &str) -> Result<()> {
    line::refuse_crlf_nul("Hello", text)?;
    if !text.is_empty() && (!text.is_ascii() || text.bytes().any(|b| b.is_ascii_whitespace() || b.is_ascii_control())) {
        return Err(Error::new(Code::ValueRefused, "Hello is one word of ASCII: a host name or an address literal"));
    }
    Ok(())
}

fn check_id_algorithm(text: &str) -> Result<()> {
    match IdAlgorithm::from_name(text) {
        Some(_) => Ok(()),
        None => Err(Error::new(Code::ValueRefused, "MessageIdAlgorithm takes MD5, SHA1 or SHA256")),
    }
}
