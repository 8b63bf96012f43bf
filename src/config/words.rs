//! Lists of names as one text with blanks between them: a pointer for each would cost the library more than the names themselves.

/// A list, and where each of its words begins.
pub struct Words {
    pub text: &'static str,
    pub starts: &'static [u16],
}

/// Where the words begin, and behind them where one more would: computed by the compiler.
pub const fn starts<const N: usize>(text: &str) -> [u16; N] {
    let mut starts = [0; N];
    let (bytes, mut at, mut word) = (text.as_bytes(), 0, 1);
    while at < bytes.len() {
        at += 1;
        if at == bytes.len() || bytes[at] == b' ' {
            starts[word] = at as u16 + 1;
            word += 1;
        }
    }
    assert!(word == N && bytes.len() < u16::MAX as usize, "a list has another count of words than is said");
    starts
}

impl Words {
    /// Where a word stands, in any case, and how it is written there.
    pub fn find(&self, name: &str) -> Option<(usize, &'static str)> {
        let length = name.len() + 1;
        let same = |ends: &[u16]| match ends {
            // Most differ in length.
            [start, next] if usize::from(next - start) == length => {
                let start = usize::from(*start);
                self.text.get(start..start + name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name))
            }
            _ => false,
        };
        let at = self.starts.windows(2).position(same)?;
        Some((at, self.get(at)))
    }

    pub fn get(&self, at: usize) -> &'static str {
        let ends = self.starts.get(at).zip(self.starts.get(at + 1));
        ends.and_then(|(start, next)| self.text.get(usize::from(*start)..usize::from(*next) - 1)).unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.text.split(' ')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "One Three Four";
    const WORDS: Words = Words { text: TEXT, starts: &starts::<4>(TEXT) };

    #[test]
    fn a_word_is_found_in_any_case_and_whole() {
        assert_eq!(WORDS.find("one"), Some((0, "One")));
        assert_eq!(WORDS.find("FOUR"), Some((2, "Four")));
        for name in ["", "Thre", "Three ", "e Three", "éne"] {
            assert_eq!(WORDS.find(name), None, "{name}");
        }
        assert_eq!((WORDS.get(1), WORDS.get(3)), ("Three", ""));
    }
}
