//! The value of `region-lost`: which region, from when, for how long, and how it does not answer.
//!
//! **Invariant:** one text has one meaning, and each part stands in it once at most.

use super::{is_region, span};
use std::time::Duration;

/// A region that is to be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// `us-east-1`.
    pub region: String,
    /// How long after the fault is switched on it begins.
    pub after: Duration,
    /// How long it lasts; `None` is until the fault is switched off.
    pub lasts: Option<Duration>,
    /// Whether connections hang; else they are refused.
    pub hangs: bool,
}

/// Reads `REGION[/hang][/after=DURATION][/for=DURATION]`.
pub fn loss(value: &str) -> Option<Loss> {
    let mut parts = value.split('/');
    let region = parts.next().filter(|region| is_region(region))?.to_owned();
    let (mut hangs, mut after, mut lasts) = (false, None, None);
    for part in parts {
        match part.split_once('=') {
            None if part == "hang" && !hangs => hangs = true,
            Some(("after", time)) if after.is_none() => after = Some(span(time)?),
            Some(("for", time)) if lasts.is_none() => {
                lasts = Some(span(time).filter(|time| !time.is_zero())?);
            }
            _ => return None,
        }
    }
    Some(Loss { region, after: after.unwrap_or_default(), lasts, hangs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_has_a_region_and_each_part_once() {
        let plain = loss("us-east-1").expect("a region");
        assert_eq!((plain.hangs, plain.after, plain.lasts), (false, Duration::ZERO, None));
        let whole = loss("eu-west-1/hang/after=90s/for=2h").expect("all parts");
        let (after, lasts) = (Duration::from_secs(90), Some(Duration::from_secs(7200)));
        assert_eq!(whole, Loss { region: "eu-west-1".to_owned(), after, lasts, hangs: true });
        for bad in [
            "",
            "Mars",
            "us-east-1/",
            "us-east-1/slow",
            "us-east-1/hang/hang",
            "us-east-1/after=soon",
            "us-east-1/after=1m/after=2m",
            "us-east-1/for=0s",
            "/hang",
        ] {
            assert_eq!(loss(bad), None, "{bad}");
        }
    }
}
