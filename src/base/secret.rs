//! Secrets that do not print: `secrecy`'s string under the project's one name for it.
//!
//! **Invariant:** only the code that hands a secret to a server calls `expose_secret`.

pub use secrecy::ExposeSecret;

/// A password, token or key. Its `Debug` form is redacted and its memory is cleared.
pub type Secret = secrecy::SecretString;

/// What stands in output, logs, journal and reports where a secret would be.
pub const HIDDEN: &str = "(secret)";
