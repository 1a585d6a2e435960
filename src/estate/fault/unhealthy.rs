//! The value of `service-unhealthy`: which service answers badly, and from when on.
//!
//! **Invariant:** a value that is not wholly understood is refused.

use super::span;
use std::time::Duration;

/// Reads `SERVICE[/after=DURATION]`: the name of the ECS service, and how long it is still well.
pub fn unhealthy(value: &str) -> Option<(&str, Duration)> {
    let (service, after) = match value.split_once('/') {
        None => (value, Duration::ZERO),
        Some((service, after)) => (service, span(after.strip_prefix("after=")?)?),
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (!service.is_empty() && service.bytes().all(fits)).then_some((service, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_a_service_and_perhaps_a_delay() {
        assert_eq!(unhealthy("web-green"), Some(("web-green", Duration::ZERO)));
        assert_eq!(unhealthy("web/after=10m"), Some(("web", Duration::from_secs(600))));
        for wrong in
            ["", "/after=10m", "web/", "web/10m", "web/after=soon", "web/after=1m/for=2m", "a b"]
        {
            assert_eq!(unhealthy(wrong), None, "{wrong}");
        }
    }
}
