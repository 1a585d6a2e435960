//! Where two JSON values differ, for people.
//!
//! **Invariant:** equal values have no difference, others at least one.

use serde_json::Value as Json;

/// Most differences that are told.
const MOST: usize = 4;
/// Most characters of a value.
const WIDTH: usize = 80;

/// `regions.us-east-1.instances.x: there, not wanted`.
pub(super) fn differences(wanted: &Json, found: &Json) -> Vec<String> {
    let mut told = Vec::new();
    walk("", wanted, found, &mut told);
    let more = told.len().saturating_sub(MOST);
    told.truncate(MOST);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told
}

fn walk(path: &str, wanted: &Json, found: &Json, told: &mut Vec<String>) {
    if wanted == found {
        return;
    }
    let (Json::Object(left), Json::Object(right)) = (wanted, found) else {
        told.push(format!("{path}: {} instead of {}", short(found), short(wanted)));
        return;
    };
    let below =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for (name, value) in left {
        match right.get(name) {
            Some(other) => walk(&below(name), value, other, told),
            None => told.push(format!("{} is missing", below(name))),
        }
    }
    for name in right.keys().filter(|name| !left.contains_key(*name)) {
        told.push(format!("{} is there and should not be", below(name)));
    }
}

fn short(value: &Json) -> String {
    let text = value.to_string();
    match text.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::differences;
    use serde_json::json;

    #[test]
    fn each_difference_has_its_path() {
        let wanted = json!({ "a": { "b": 1, "c": [1] }, "d": null });
        assert!(differences(&wanted, &wanted).is_empty());
        let found = json!({ "a": { "b": 2, "e": 1 }, "d": null });
        let told = differences(&wanted, &found).join("; ");
        assert_eq!(told, "a.b: 2 instead of 1; a.c is missing; a.e is there and should not be");
    }
}
