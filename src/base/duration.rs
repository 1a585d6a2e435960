//! Durations as people write them in runbooks: `45s`, `30m`, `1h15m`, `2d`.
//!
//! **Invariant:** a number without a unit is an error; nobody has to guess seconds or minutes.

use std::time::Duration;

/// Units accepted by [`parse`], longest first, with their milliseconds.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The longest duration that a step may be given: what takes longer than a leap year is a typing mistake,
/// and instants that far away stay ones that can be written.
pub const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Says that a duration is longer than [`LONGEST`]; a sentence fragment.
pub fn too_long(duration: Duration) -> Option<String> {
    let days = LONGEST.as_secs() / 86_400;
    (duration > LONGEST)
        .then(|| format!("it may be {days} days long at most, and is {}", human(duration)))
}

/// Parses `1h15m`-like text.
///
/// # Errors
/// A sentence fragment that says what is wrong, fit to follow "invalid duration `…`: ".
pub fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("it is empty; write for example `30m` or `1h15m`".to_owned());
    }
    let mut total: u64 = 0;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 =
            rest[..digits].parse().map_err(|_| format!("expected a whole number at `{rest}`"))?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = rest.split_at(letters);
        let Some((_, millis)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("`{number}` needs a unit: d, h, m, s or ms"));
        };
        if *millis >= last_unit {
            return Err("units go from large to small, each once".to_owned());
        }
        last_unit = *millis;
        total = number
            .checked_mul(*millis)
            .and_then(|part| total.checked_add(part))
            .ok_or("it is too long")?;
        rest = after;
    }
    Ok(Duration::from_millis(total))
}

/// Writes a duration so that [`parse`] reads it back (to the millisecond): `1h15m`, `0s`.
pub fn format(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, millis) in UNITS {
        let count = rest / millis;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
            rest %= millis;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// For people: two most significant units, milliseconds only below ten seconds.
pub fn human(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    match millis {
        0..1_000 => format!("{millis}ms"),
        1_000..10_000 => format!("{}.{}s", millis / 1_000, millis % 1_000 / 100),
        10_000..60_000 => format!("{}s", millis / 1_000),
        60_000..3_600_000 => format!("{}m{:02}s", millis / 60_000, millis % 60_000 / 1_000),
        3_600_000..86_400_000 => {
            format!("{}h{:02}m", millis / 3_600_000, millis % 3_600_000 / 60_000)
        }
        _ => format!("{}d{:02}h", millis / 86_400_000, millis % 86_400_000 / 3_600_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (text, millis) in
            [("45s", 45_000), ("1h15m", 4_500_000), ("2d", 172_800_000), ("250ms", 250), ("0s", 0)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
            assert_eq!(format(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn refuses_what_is_unclear() {
        for text in [
            "",
            "30",
            "m",
            "5x",
            "1m1h",
            "1m1m",
            "-5m",
            "1.5h",
            "99999999999999999999d",
            "999999999999999999d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_leap_year_is_the_longest() {
        let parsed = |text: &str| too_long(parse(text).expect("a duration"));
        assert_eq!(parsed("366d"), None);
        let why = "it may be 366 days long at most, and is 366d00h";
        assert_eq!(parsed("366d1ms").as_deref(), Some(why));
        assert!(too_long(Duration::MAX).is_some());
    }

    #[test]
    fn human_form_keeps_two_units() {
        for (millis, text) in [
            (7, "7ms"),
            (2_350, "2.3s"),
            (59_000, "59s"),
            (754_000, "12m34s"),
            (4_500_000, "1h15m"),
            (90_000_000, "1d01h"),
        ] {
            assert_eq!(human(Duration::from_millis(millis)), text);
        }
    }
}
