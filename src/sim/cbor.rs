//! Reads CBOR and compressed bodies.
//!
//! **Invariant:** what cannot be read is `None`; no input makes it use more memory than a few times
//! its limit.

use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value as Json};
use std::io::Read as _;

/// Largest body after decompression, bytes: CloudWatch takes one megabyte.
pub(in crate::sim) const INFLATED_LIMIT: usize = 4 * 1024 * 1024;

/// How deep a document may nest; CloudWatch's deepest input has six levels.
const DEPTH: usize = 32;

/// The map in a CBOR document. Instants become seconds since 1970; a number that JSON cannot hold
/// (not a number, infinite) becomes its name, so that a service refuses it as no number.
pub(in crate::sim) fn map(body: &[u8]) -> Option<Json> {
    if body.is_empty() {
        return Some(Json::Object(Map::new()));
    }
    let mut rest = body;
    let value: Cbor = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEPTH).ok()?;
    json(value).filter(Json::is_object).filter(|_| rest.is_empty())
}

fn json(value: Cbor) -> Option<Json> {
    Some(match value {
        Cbor::Null => Json::Null,
        Cbor::Bool(flag) => Json::Bool(flag),
        Cbor::Text(text) => Json::String(text),
        Cbor::Float(number) => {
            Number::from_f64(number).map_or_else(|| Json::String(number.to_string()), Json::Number)
        }
        Cbor::Integer(number) => match i64::try_from(i128::from(number)) {
            Ok(number) => Json::from(number),
            Err(_) => Json::from(i128::from(number) as f64),
        },
        Cbor::Tag(_, inner) => json(*inner)?,
        Cbor::Array(items) => items.into_iter().map(json).collect::<Option<Vec<_>>>()?.into(),
        Cbor::Map(fields) => {
            let mut map = Map::new();
            for (name, value) in fields {
                map.insert(name.into_text().ok()?, json(value)?);
            }
            Json::Object(map)
        }
        // Bytes and kinds of value that no AWS input of this service has.
        _ => return None,
    })
}

/// Decompresses a body with `content-encoding: gzip`.
pub(in crate::sim) fn gunzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut inflated = Vec::new();
    let reader = flate2::read::MultiGzDecoder::new(body);
    reader.take(INFLATED_LIMIT as u64 + 1).read_to_end(&mut inflated).ok()?;
    (inflated.len() <= INFLATED_LIMIT).then_some(inflated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
        (0..hex.len()).step_by(2).map(digits).collect()
    }

    #[test]
    fn indefinite_maps_and_tagged_instants() {
        // {_ "T": 1(1772359200.0), "N": NaN, "L": [1, -2]}
        let read = map(&bytes("bf6154c1fb41da690388000000614ef97e00614c820121ff"));
        let read = read.expect("a map");
        assert_eq!(read["T"], 1_772_359_200.0);
        assert_eq!((&read["N"], &read["L"]), (&Json::from("NaN"), &serde_json::json!([1, -2])));
        assert_eq!(map(b""), Some(serde_json::json!({})));
    }

    #[test]
    fn refuses_what_is_no_map() {
        let deep = [vec![0x81; 10_000], vec![0x01]].concat();
        for body in ["01", "a101", "a1", "a10102", "ff", "bf", "a0a0", "9bffffffffffffffff"] {
            assert_eq!(map(&bytes(body)), None, "{body}");
        }
        assert_eq!(map(&deep), None);
    }

    #[test]
    fn a_bomb_is_not_inflated() {
        let pack = |count: usize| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            packer.write_all(&vec![0; count]).expect("memory");
            packer.finish().expect("memory")
        };
        assert_eq!(gunzip(&pack(5000)).map(|body| body.len()), Some(5000));
        assert_eq!(gunzip(&pack(INFLATED_LIMIT + 1)), None);
        assert_eq!(gunzip(b"plain"), None);
        assert_eq!(gunzip(&pack(5000)[..12]), None);
    }
}
