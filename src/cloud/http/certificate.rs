//! Reads from a certificate when it ends: a walk over the few fields before it.
//!
//! **Invariant:** bytes that are no certificate give `None`; nothing is trusted because of this.

use chrono::{DateTime, NaiveDateTime, Utc};

/// Tags of ASN.1's distinguished encoding.
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` of a certificate (RFC 5280, 4.1): certificate > to-be-signed > version, serial number,
/// signature algorithm, issuer, validity > notBefore, notAfter.
pub(super) fn end(der: &[u8]) -> Option<DateTime<Utc>> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (signed, _) = element(certificate, SEQUENCE)?;
    let rest = element(signed, VERSION).map_or(signed, |(_, rest)| rest);
    let (_, rest) = element(rest, INTEGER)?;
    let (_, rest) = element(rest, SEQUENCE)?;
    let (_, rest) = element(rest, SEQUENCE)?;
    let (validity, _) = element(rest, SEQUENCE)?;
    let (_, rest) = time(validity)?;
    time(rest).map(|(end, _)| end)
}

/// The content of the element at the beginning of `bytes`, which must have this tag, and what follows.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, mut rest) = rest.split_first().filter(|_| *found == tag)?;
    let mut length = usize::from(*first);
    if length >= 0x80 {
        let (digits, after) = rest.split_at_checked(length - 0x80).filter(|(d, _)| d.len() <= 4)?;
        length = digits.iter().fold(0, |sum, digit| (sum << 8) | usize::from(*digit));
        rest = after;
    }
    rest.split_at_checked(length)
}

fn time(bytes: &[u8]) -> Option<(DateTime<Utc>, &[u8])> {
    let (text, rest, full) = match element(bytes, UTC_TIME) {
        // Two digits of the year: 1950 to 2049.
        Some((text, rest)) => {
            let century = if text.first()? >= &b'5' { "19" } else { "20" };
            (text, rest, century)
        }
        None => {
            let (text, rest) = element(bytes, GENERALIZED_TIME)?;
            (text, rest, "")
        }
    };
    let text = format!("{full}{}", std::str::from_utf8(text).ok()?);
    let time = NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok()?;
    Some((time.and_utc(), rest))
}

#[cfg(test)]
mod tests {
    use super::end;
    use crate::base::clock::format_instant;

    /// An element with a short length.
    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("short");
        [&[tag, length], content].concat()
    }

    fn certificate(version: bool, tag: u8, after: &str) -> Vec<u8> {
        let before = element(0x17, b"250101000000Z");
        let validity = element(0x30, &[before, element(tag, after.as_bytes())].concat());
        let version = if version { element(0xa0, &element(2, &[2])) } else { Vec::new() };
        let parts = [version, element(2, &[1]), element(0x30, &[]), element(0x30, &[]), validity];
        element(0x30, &element(0x30, &parts.concat()))
    }

    #[test]
    fn both_forms_of_time_are_read() {
        for (version, tag, text, wanted) in [
            (true, 0x17, "260301101500Z", "2026-03-01T10:15:00Z"),
            (false, 0x17, "491231235959Z", "2049-12-31T23:59:59Z"),
            (true, 0x17, "990301101500Z", "1999-03-01T10:15:00Z"),
            (true, 0x18, "20500301101500Z", "2050-03-01T10:15:00Z"),
        ] {
            let found = end(&certificate(version, tag, text)).map(format_instant);
            assert_eq!(found.as_deref(), Some(wanted));
        }
    }

    #[test]
    fn whatever_is_cut_or_changed_is_read_without_a_panic() {
        let whole = certificate(true, 0x17, "260301101500Z");
        for length in 0..whole.len() {
            assert_eq!(end(&whole[..length]), None, "{length}");
        }
        for at in 0..whole.len() {
            for value in [0, 0x7f, 0x80, 0x84, 0x8f, 0xff] {
                let mut changed = whole.clone();
                changed[at] = value;
                let _ = end(&changed);
            }
        }
        assert_eq!(end(&certificate(true, 0x17, "260231101500Z")), None);
    }
}
