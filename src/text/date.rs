//! Dates as headers have them: RFC 5322 section 3.3.

use std::time::{SystemTime, UNIX_EPOCH};

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The time of now in the zone that `offset` tells for a time: seconds east of Greenwich.
pub fn now(offset: fn(i64) -> i32) -> String {
    let seconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs() as i64,
        Err(before) => -(before.duration().as_secs() as i64),
    };
    format(seconds, offset(seconds))
}

/// `Fri, 21 Nov 1997 09:55:06 -0600`: seconds since 1970 in UTC, shown in a zone that many seconds east of Greenwich.
pub fn format(seconds: i64, offset: i32) -> String {
    // Zones are written in whole minutes; odd historic ones are cut to them and the clock agrees with what is written.
    let minutes = offset / 60;
    let local = seconds.saturating_add(i64::from(minutes) * 60);
    let (days, clock) = (local.div_euclid(86400), local.rem_euclid(86400));
    let (year, month, day) = civil(days);
    let weekday = DAYS[(days + 4).rem_euclid(7) as usize];
    let sign = if minutes < 0 { '-' } else { '+' };
    let zone = minutes.abs();
    format!(
        "{weekday}, {day:02} {} {year:04} {:02}:{:02}:{:02} {sign}{:02}{:02}",
        MONTHS[month - 1],
        clock / 3600,
        clock / 60 % 60,
        clock % 60,
        zone / 60,
        zone % 60
    )
}

/// Year, month and day of a number of days since 1970-01-01 in the Gregorian calendar (era-based, so without loops).
fn civil(days: i64) -> (i64, usize, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as usize, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_rfc_5322_has_them() {
        for (seconds, offset, text) in [
            (0, 0, "Thu, 01 Jan 1970 00:00:00 +0000"),
            (880_127_706, -6 * 3600, "Fri, 21 Nov 1997 09:55:06 -0600"),
            (951_782_400, 0, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_709_251_199, 5 * 3600 + 1800, "Fri, 01 Mar 2024 05:29:59 +0530"),
            (1_798_761_599, 3600, "Fri, 01 Jan 2027 00:59:59 +0100"),
            (-1, 0, "Wed, 31 Dec 1969 23:59:59 +0000"),
            (4_102_444_800, -1800, "Thu, 31 Dec 2099 23:30:00 -0030"),
            (0, 1172, "Thu, 01 Jan 1970 00:19:00 +0019"),
        ] {
            assert_eq!(format(seconds, offset), text);
        }
    }

    #[test]
    fn now_is_a_date_of_the_same_shape() {
        let now = now(|_| 3600);
        assert_eq!(now.len(), "Fri, 21 Nov 1997 09:55:06 -0600".len(), "{now}");
        assert!(now.as_bytes()[26] == b'+' || now.as_bytes()[26] == b'-');
    }
}
