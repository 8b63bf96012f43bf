//! The media type that a file's name tells by its extension. The types are those of mime_guess, which build.rs writes as one
//! text: a table of slices would be four times as large in the library, and every slice a relocation when it is loaded.

use std::path::Path;

use memchr::memmem;

/// Words with a space behind each: `=` and what stands before the slash, for all that follows; `/` and the rest of a type,
/// where `.` is `vnd.`; its extensions in lower case.
const TYPES: &str = include_str!(concat!(env!("OUT_DIR"), "/media_types.txt"));

/// None where the name has no extension, or one that nobody knows.
pub fn of(name: &str) -> Option<String> {
    let extension = Path::new(name).extension()?.to_str()?.to_ascii_lowercase();
    if extension.contains([' ', '=', '/']) {
        return None;
    }
    let found = memmem::find(TYPES.as_bytes(), format!(" {extension} ").as_bytes())?;
    let last = |mark| TYPES[..found].rsplit_once(mark)?.1.split(' ').next();
    let (top, sub) = (last('=')?, last('/')?);
    Some(match sub.strip_prefix('.') {
        Some(sub) => format!("{top}/vnd.{sub}"),
        None => format!("{top}/{sub}"),
    })
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
                assert_eq!(of(&name).as_deref(), wanted, "{name}");
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
            "a.=audio",
            "a.=",
        ] {
            assert_eq!(of(name), None, "{name:?}");
        }
    }
}
