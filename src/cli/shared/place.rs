//! Where shared journals are: the configuration's `journal`, and the variables that win over it.
//!
//! **Invariant:** a place that cannot be meant is refused before anything is asked of it.

use crate::base::diagnostic::Problems;
use crate::base::shape::{FieldShape, Is, Shape};
use crate::base::yaml::{Fields, Node};
use crate::cli::error::CommandError;
use crate::cloud::bucket::BucketPlace;

/// Variable that names the place of shared journals; `local` means none.
const VARIABLE: &str = "DRCTL_JOURNAL";

/// The word for journals that no team shares.
const LOCAL: &str = "local";

/// Variables that move S3 to another address, the first one that is set.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];

/// What the configuration says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::cli) struct JournalConfig {
    /// `s3://bucket/prefix`.
    pub(in crate::cli) store: String,
    /// The bucket's region.
    pub(in crate::cli) region: Option<String>,
    /// A server instead of AWS.
    pub(in crate::cli) endpoint: Option<String>,
    /// Whose credentials are used.
    pub(in crate::cli) profile: Option<String>,
}

/// What it looks like.
pub(in crate::cli) static JOURNAL: Shape = Shape {
    summary: "Where journals are kept that a team shares.",
    fields: &[
        FieldShape::required(
            "store",
            Is::Matching("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?$"),
            "Bucket and prefix, as in s3://acme-dr-journals/payments; DRCTL_JOURNAL wins.",
        ),
        FieldShape::optional(
            "region",
            Is::Text,
            "The bucket's region; without it S3 is asked. Never one that a runbook assumes lost.",
        ),
        FieldShape::optional(
            "endpoint",
            Is::Text,
            "Address of a server that speaks S3, instead of AWS; AWS_ENDPOINT_URL_S3 wins.",
        ),
        FieldShape::optional("profile", Is::Text, "Profile of ~/.aws whose credentials are used."),
    ],
    cases: None,
};

/// Reads the field `journal` of a configuration.
pub(in crate::cli) fn read(node: &Node, problems: &mut Problems) -> Option<JournalConfig> {
    let mut fields = Fields::of(node, "a shared journal", problems).shaped(&JOURNAL);
    let store = fields.required_text("store", problems);
    let config = JournalConfig {
        store: store.clone().unwrap_or_default(),
        region: fields.text("region", problems),
        endpoint: fields.text("endpoint", problems),
        profile: fields.text("profile", problems),
    };
    fields.finish(problems);
    store.map(|_| config)
}

/// The place that configuration and variables name; `None` when journals are not shared.
///
/// # Errors
/// What they name is no place.
pub(in crate::cli) fn configured(
    config: Option<&JournalConfig>,
) -> Result<Option<BucketPlace>, CommandError> {
    let variable = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty());
    let store = match (&variable, config) {
        (Some(text), _) if text == LOCAL => return Ok(None),
        (Some(text), _) => text.clone(),
        (None, Some(config)) => config.store.clone(),
        (None, None) => return Ok(None),
    };
    let said = if variable.is_some() { VARIABLE } else { "journal.store of drctl.yaml" };
    place(&store, said, config).map(Some)
}

/// The place that `text` names; what else it takes to get there comes from configuration and variables.
///
/// # Errors
/// It is no place; `said` tells where it was said.
pub(in crate::cli) fn place(
    text: &str,
    said: &str,
    config: Option<&JournalConfig>,
) -> Result<BucketPlace, CommandError> {
    let wrong = |why: &str| {
        CommandError::usage(format!("{said} `{text}`: {why}"))
            .help("write for example s3://acme-dr-journals/payments")
    };
    let rest = text.strip_prefix("s3://").ok_or_else(|| wrong("it does not begin with s3://"))?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(plain) {
        return Err(wrong("this is no name of a bucket"));
    }
    let prefix = prefix.trim_matches('/');
    let simple = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let parts = |part: &str| part.is_empty() || part == "." || part == "..";
    if !prefix.is_empty() && (!prefix.chars().all(simple) || prefix.split('/').any(parts)) {
        return Err(wrong("the prefix may have letters, digits, `-`, `_`, `.` and single slashes"));
    }
    let variable = |name: &&str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let endpoint = ENDPOINTS.iter().find_map(variable);
    let endpoint = endpoint.or_else(|| config.and_then(|config| config.endpoint.clone()));
    if let Some(url) = endpoint.as_deref().filter(|url| !is_address(url)) {
        let message = format!("`{url}` is no address of an S3 server");
        return Err(CommandError::usage(message).help("write for example http://127.0.0.1:4577"));
    }
    Ok(BucketPlace {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        region: config.and_then(|config| config.region.clone()),
        endpoint,
        profile: config.and_then(|config| config.profile.clone()),
    })
}

fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    // A password in an address would stand in every message.
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains('@') && !rest.contains(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_nonsense_is_refused() {
        let read = |text: &str| place(text, "--to", None);
        let found = read("s3://acme-dr/teams/payments/").unwrap();
        assert_eq!((found.bucket.as_str(), found.prefix.as_str()), ("acme-dr", "teams/payments"));
        assert_eq!(read("s3://acme.dr").unwrap().prefix, "");
        for bad in [
            "",
            "acme",
            "s3:/acme",
            "s3://",
            "s3://a",
            "s3://Acme",
            "s3://acme/a//b",
            "s3://acme/../x",
            "s3://acme/a b",
            "s3://ac me/x",
            "gs://acme/x",
        ] {
            let error = read(bad).unwrap_err().to_string();
            assert!(error.contains(&format!("--to `{bad}`")), "{error}");
        }
        let config =
            JournalConfig { endpoint: Some("ftp://x".to_owned()), ..JournalConfig::default() };
        let error = place("s3://acme", "--to", Some(&config)).unwrap_err().to_string();
        assert!(error.contains("no address of an S3 server"), "{error}");
    }
}
