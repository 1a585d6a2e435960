//! What to write in place of a value that does not have the wanted type, where that is plain.
//!
//! **Invariant:** what a hint shows in back quotes has the wanted type when a file says it; a value
//! that is wanted as a secret is never shown.

use super::{Type, Value};
use crate::base::clock::parse_instant;

/// Words of other tools for true and false.
const TRUTHS: [(&str, bool); 10] = [
    ("yes", true),
    ("y", true),
    ("on", true),
    ("true", true),
    ("1", true),
    ("no", false),
    ("n", false),
    ("off", false),
    ("false", false),
    ("0", false),
];
/// Longest text that a hint repeats.
const SHOWN: usize = 60;

impl Value {
    /// How to write what was probably meant by this value, which is no `kind`.
    pub fn hint(&self, kind: &Type) -> Option<String> {
        match (kind, self) {
            (Type::Optional(inner), _) => self.hint(inner),
            (Type::Duration, Self::Int(number)) if *number >= 0 => {
                Some(format!("write a unit, such as `{number}m` or `{number}h`"))
            }
            (Type::Bool, Self::String(_) | Self::Int(_)) => {
                let word = self.to_string().to_lowercase();
                let (_, truth) = TRUTHS.iter().find(|(known, _)| *known == word)?;
                Some(format!("write `{truth}`"))
            }
            (
                Type::String | Type::Secret | Type::OneOf(_),
                Self::Int(_) | Self::Float(_) | Self::Bool(_),
            ) => Some("put it in quotes: YAML reads it as something else than text".to_owned()),
            (Type::List(inner), Self::String(text)) if **inner != Type::Secret => {
                let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                let fits = self.clone().coerce(inner).is_ok();
                let short = !text.is_empty() && text.len() <= SHOWN && text.chars().all(plain);
                (fits && short).then(|| format!("write `[{text}]`"))
            }
            (Type::Time | Type::LatestOrTime, Self::String(text)) => {
                let zoned = format!("{}Z", text.trim().replacen(' ', "T", 1));
                parse_instant(&zoned)?;
                Some(format!("say the offset: `{zoned}` is UTC"))
            }
            (Type::Time | Type::LatestOrTime, _)
            | (
                Type::Any
                | Type::Bool
                | Type::Int
                | Type::Float
                | Type::String
                | Type::Duration
                | Type::Secret
                | Type::OneOf(_)
                | Type::List(_)
                | Type::Map(_)
                | Type::Record(_),
                _,
            ) => None,
        }
    }
}
