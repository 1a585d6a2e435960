//! Which bytes of an object a request asks for.
//!
//! **Invariant:** a span that is answered lies within the object.

use crate::sim::answer::ApiError;
use crate::sim::s3::refusals::invalid_argument;
use crate::sim::s3::state::Version;
use crate::sim::s3::wire::Request;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    All,
    /// From a byte to before another.
    Part {
        from: u64,
        to: u64,
    },
}

/// The span of `Range` or `partNumber`. A range that cannot be read counts for nothing, as HTTP says.
pub(super) fn asked(request: &Request, version: &Version) -> Result<Asked, ApiError> {
    let size = version.size();
    if let Some(text) = request.parameter("partNumber") {
        return part(text, version);
    }
    let Some(text) = request.header("range") else { return Ok(Asked::All) };
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|text| text.split_once('-'))
    else {
        return Ok(Asked::All);
    };
    let number = |text: &str| text.parse::<u64>().ok();
    let (from, to) = match (number(first), number(last)) {
        (Some(from), Some(last)) if from <= last => (from, last.saturating_add(1).min(size)),
        (Some(from), None) if last.is_empty() => (from, size),
        (None, Some(count)) if first.is_empty() => (size.saturating_sub(count), size),
        _ => return Ok(Asked::All),
    };
    if from >= size {
        let message = "The requested range is not satisfiable";
        return Err(ApiError::sender("InvalidRange", message)
            .with_status(416)
            .with_detail("content-range", &format!("bytes */{size}"))
            .with_detail("RangeRequested", text)
            .with_detail("ActualObjectSize", &size.to_string()));
    }
    Ok(Asked::Part { from, to })
}

fn part(text: &str, version: &Version) -> Result<Asked, ApiError> {
    let number = text.parse::<usize>().ok().filter(|number| (1..=10_000).contains(number));
    let number = number.ok_or_else(|| {
        invalid_argument("Part number must be an integer between 1 and 10000", "partNumber", text)
    })?;
    let own = [version.size()];
    let parts = &version.extra.parts;
    let parts = if parts.is_empty() { own.as_slice() } else { parts };
    let Some(length) = parts.get(number - 1) else {
        let message = "The requested partnumber is not satisfiable";
        return Err(ApiError::sender("InvalidPartNumber", message).with_status(416));
    };
    let from = parts[..number - 1].iter().sum();
    Ok(Asked::Part { from, to: from + length })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;

    #[test]
    fn spans_lie_within_the_object() {
        let mut version = Version::new(b"0123456789".to_vec(), simulated_epoch());
        let ask = |range: &str, version: &Version| {
            let request = Request {
                headers: [("range".to_owned(), range.to_owned())].into(),
                ..Request::default()
            };
            asked(&request, version).map_err(|error| error.code)
        };
        let part = |from, to| Ok(Asked::Part { from, to });
        for (range, wanted) in [
            ("bytes=0-3", part(0, 4)),
            ("bytes=5-", part(5, 10)),
            ("bytes=5-500", part(5, 10)),
            ("bytes=-3", part(7, 10)),
            ("bytes=-30", part(0, 10)),
            ("bytes=10-", Err("InvalidRange".to_owned())),
            ("bytes=-0", Err("InvalidRange".to_owned())),
            ("bytes=4-2", Ok(Asked::All)),
            ("bytes=a-b", Ok(Asked::All)),
            ("bytes=0-1,4-5", Ok(Asked::All)),
            ("lines=0-1", Ok(Asked::All)),
        ] {
            assert_eq!(ask(range, &version), wanted, "{range}");
        }
        version.extra.parts = vec![4, 6];
        let number = |number: &str| {
            let query = [("partNumber".to_owned(), number.to_owned())].into();
            asked(&Request { query, ..Request::default() }, &version).map_err(|error| error.code)
        };
        assert_eq!((number("1"), number("2")), (part(0, 4), part(4, 10)));
        assert_eq!(number("3"), Err("InvalidPartNumber".to_owned()));
        assert_eq!(number("0"), Err("InvalidArgument".to_owned()));
    }
}
