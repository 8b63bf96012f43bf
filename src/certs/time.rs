//! Times of certificates (RFC 5280 §4.1.2.5), and the text `23-Jan-2000 15:00:00` of the specification.

use super::der::Value;
use super::fault::{Read, broken};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Seconds since 1970 in UTC, of a UTCTime or GeneralizedTime.
pub fn from_der(value: Value<'_>) -> Read<i64> {
    let (digits, year) = match (value.tag, value.content.len()) {
        (0x17, 11 | 13) => (2, true),
        (0x18, 15) => (4, false),
        _ => return broken("a date of an unknown form"),
    };
    let Some(text) = value.content.strip_suffix(b"Z").filter(|t| t.iter().all(u8::is_ascii_digit)) else {
        return broken("a date of an unknown form");
    };
    let number = |from: usize, count: usize| {
        text.get(from..from + count).unwrap_or(b"0").iter().fold(0i64, |n, b| n * 10 + i64::from(b - b'0'))
    };
    let mut y = number(0, digits);
    if year {
        y += if y < 50 { 2000 } else { 1900 };
    }
    let (month, day) = (number(digits, 2), number(digits + 2, 2));
    let (hour, minute, second) = (number(digits + 4, 2), number(digits + 6, 2), number(digits + 8, 2));
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return broken("a date that does not exist");
    }
    Ok(days(y, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days since 1970 of a Gregorian date (Howard Hinnant, days_from_civil).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The text in the zone that is `offset` seconds east of UTC.
pub fn text(seconds: i64, offset: i64) -> String {
    let local = seconds + offset;
    let (day, rest) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * of_year + 2) / 153;
    let (date, month) = (of_year - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let name = MONTHS[usize::try_from(month - 1).expect("a month is 1 to 12")];
    format!("{date:02}-{name}-{year:04} {:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(tag: u8, text: &str) -> Read<i64> {
        from_der(Value { tag, content: text.as_bytes(), whole: b"" })
    }

    #[test]
    fn dates_read_as_the_specification_shows_them() {
        assert_eq!(text(parse(0x17, "000123150000Z").unwrap(), 0), "23-Jan-2000 15:00:00");
        assert_eq!(text(parse(0x17, "500101000000Z").unwrap(), 0), "01-Jan-1950 00:00:00");
        assert_eq!(text(parse(0x18, "20991231235959Z").unwrap(), 3600), "01-Jan-2100 00:59:59");
        assert_eq!(text(parse(0x18, "99991231235959Z").unwrap(), 0), "31-Dec-9999 23:59:59");
        assert_eq!(text(parse(0x17, "000229120000Z").unwrap(), -43_200), "29-Feb-2000 00:00:00");
    }

    #[test]
    fn dates_of_other_forms_are_refused() {
        for (tag, text) in [
            (0x17, "001323150000Z"),
            (0x18, "20000123150000+0100"),
            (0x17, "0001231500"),
            (0x18, "2000012315000xZ"),
            (0x04, "000123150000Z"),
        ] {
            assert!(parse(tag, text).is_err(), "{text}");
        }
    }
}
