//! The media type that a file's name tells by its extension. The types are those of mime_guess, which build.rs writes as one
//! text: a table of slices would be four times as large in the library, and every slice a relocation when it is loaded.

use std::path::Path;

use memchr::{memmem, memrchr};

/// A line for each type: its name, then its extensions in lower case, a space behind every word.
const TYPES: &str = include_str!(concat!(env!("OUT_DIR"), "/media_types.txt"));

/// None where the name has no extension, or one that nobody knows.
pub fn of(name: &str) -> Option<&'static str> {
    let extension = Path::new(name).extension()?.to_str()?.to_ascii_lowercase();
    if extension.contains([' ', '\n']) {
        return None;
    }
    let found = memmem::find(TYPES.as_bytes(), format!(" {extension} ").as_bytes())?;
    let line = memrchr(b'\n', &TYPES.as_bytes()[..found]).map_or(0, |end| end + 1);
    TYPES[line..].split(' ').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_extension_has_the_type_that_mime_guess_gives_it() {
        let all = mime_guess::get_extensions("*", "*").unwrap();
        assert!(all.len() > 1000);
        for extension in all {
            for name in [format!("a.{extension}"), format!("a b.c.{}", extension.to_ascii_uppercase())] {
                let wanted = mime_guess::from_path(&name).first_raw();
                assert!(wanted.is_some());
                assert_eq!(of(&name), wanted, "{name}");
            }
        }
    }

    #[test]
    fn what_is_no_extension_has_no_type() {
        for name in [
            "",
            "png",
            ".png",
            "a.",
            "a.no such",
            "a.png ",
            "a.png jpeg",
            "a.jpe jpeg",
            "a.\n",
            "a. ",
            "a.image/png",
            "a.pn",
        ] {
            assert_eq!(of(name), None, "{name:?}");
        }
    }
}
