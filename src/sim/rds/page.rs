//! Paging: `MaxRecords` (20 to 100) and `Marker`.
//!
//! **Invariant:** pages cut an ordered list; a marker names the last item given, so that items that
//! come and go between two calls neither repeat nor hide others.

use crate::base::digest::hex;
use crate::sim::answer::ApiError;
use crate::sim::decode::{Params, unhex};

/// One page of `items`, which are in order of `key`, and the marker of the next.
pub(in crate::sim::rds) fn cut<T>(
    params: &Params,
    mut items: Vec<T>,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let size = params.number("MaxRecords")?.unwrap_or(100);
    if !(20..=100).contains(&size) {
        return Err(ApiError::sender(
            "InvalidParameterValue",
            format!("Invalid value {size} for MaxRecords. Must be between 20 and 100"),
        ));
    }
    if let Some(marker) = params.text("Marker") {
        let last = unhex(marker).and_then(|bytes| String::from_utf8(bytes).ok());
        let last = last.ok_or_else(|| {
            ApiError::sender("InvalidParameterValue", format!("Invalid value {marker} for Marker"))
        })?;
        items.retain(|item| key(item) > last);
    }
    let more = items.len() > size as usize;
    items.truncate(size as usize);
    let marker = items.last().filter(|_| more).map(|item| hex(key(item).as_bytes()));
    Ok((items, marker))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_to_the_whole() {
        let all: Vec<String> = (0..47).map(|n| format!("db-{n:02}")).collect();
        let (mut found, mut marker, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let body = format!("MaxRecords=20&Marker={marker}");
            let params = Params::of_form(body.as_bytes());
            let (page, next) = cut(&params, all.clone(), String::clone).expect("a page");
            found.extend(page);
            pages += 1;
            match next {
                Some(next) => marker = next,
                None => break,
            }
        }
        assert_eq!((found, pages), (all, 3));
    }

    #[test]
    fn refuses_bad_sizes_and_markers() {
        for body in ["MaxRecords=19", "MaxRecords=101", "MaxRecords=x", "Marker=zz"] {
            let error = cut(&Params::of_form(body.as_bytes()), vec![1], i32::to_string);
            assert_eq!(error.expect_err(body).code, "InvalidParameterValue");
        }
    }
}
