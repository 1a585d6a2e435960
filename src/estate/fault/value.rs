//! Parts of the values of faults: factors, spans, regions.
//!
//! **Invariant:** what is no such part is `None`, never a default.

use crate::base::duration;
use std::time::Duration;

/// Whether it has the form of a region's name: `us-gov-west-1`.
pub(super) fn is_region(text: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() >= 3 && parts.iter().all(|text| !text.is_empty() && text.bytes().all(part))
}

/// A factor or rate from 0.
pub fn rate(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

/// Seconds, or a duration such as `2m`.
pub fn span(text: &str) -> Option<Duration> {
    match text.parse::<u32>() {
        Ok(seconds) => Some(Duration::from_secs(u64::from(seconds))),
        Err(_) => duration::parse(text).ok(),
    }
}
