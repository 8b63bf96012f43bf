//! Vietnamese vowels with a tone: Unicode has one character for each, code page 1258 the vowel and then the tone mark.

/// Vowels that take a tone.
const VOWELS: &str = "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY";
/// Tone marks, each with those vowels under it.
const TONES: [(char, &str); 5] = [
    ('\u{300}', "àằầèềìòồờùừỳÀẰẦÈỀÌÒỒỜÙỪỲ"),
    ('\u{301}', "áắấéếíóốớúứýÁẮẤÉẾÍÓỐỚÚỨÝ"),
    ('\u{303}', "ãẵẫẽễĩõỗỡũữỹÃẴẪẼỄĨÕỖỠŨỮỸ"),
    ('\u{309}', "ảẳẩẻểỉỏổởủửỷẢẲẨẺỂỈỎỔỞỦỬỶ"),
    ('\u{323}', "ạặậẹệịọộợụựỵẠẶẬẸỆỊỌỘỢỤỰỴ"),
];

/// The vowel and the tone of a character that the code page does not have, as this tells.
pub fn split(text: &str, has: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let parts = TONES.iter().find_map(|(tone, row)| {
            let at = row.chars().position(|toned| toned == c)?;
            Some([VOWELS.chars().nth(at)?, *tone])
        });
        match parts {
            Some(parts) if !has(c) => out.extend(parts),
            _ => out.push(c),
        }
    }
    out
}

/// A vowel and its tone as one character.
pub fn join(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let toned = TONES.iter().find(|(tone, _)| *tone == c).and_then(|(_, row)| {
            let vowel = out.chars().next_back()?;
            row.chars().nth(VOWELS.chars().position(|known| known == vowel)?)
        });
        if let Some(toned) = toned {
            out.pop();
            out.push(toned);
        } else {
            out.push(c);
        }
    }
    out
}
