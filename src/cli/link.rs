//! Links that name a runbook and what it is to be run with: `drctl://run/RUNBOOK?env=…&p.NAME=…`.
//!
//! **Invariant:** a link only asks. It carries no secret, no approval, no answer and no `--yes`; what it says
//! that is not known is refused, and nothing of it is a path.

use crate::cli::alarm::named;
use crate::cli::args::{EstateArg, OutputForm};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::given::parameters;
use crate::cli::launch::{Tools, environment};
use crate::cli::out;
use crate::runbook::{ParameterKind, Runbook};
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// How every link begins.
pub(super) const SCHEME: &str = "drctl://run/";

/// Longest link, bytes: what still fits into a line of a message.
const LONGEST: usize = 4096;

/// Longest value in one, bytes.
const LONGEST_VALUE: usize = 1024;

/// `drctl link`
#[derive(Debug, Args)]
pub(super) struct LinkArgs {
    /// Name of the runbook.
    pub runbook: String,
    /// The environment, always explicit.
    #[arg(long, value_name = "NAME")]
    pub env: String,
    #[command(flatten)]
    pub estate: EstateArg,
    /// Set a parameter of the runbook (repeatable). Secrets are refused.
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// The CloudWatch alarm that calls for it: its ARN, its name, or its name in the estate.
    #[arg(long, value_name = "ARN|NAME")]
    pub alarm: Option<String>,
}

/// What a link asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Link {
    /// Name of the runbook.
    pub runbook: String,
    /// The environment.
    pub env: String,
    /// The estate; empty is the project's own.
    pub estate: String,
    /// Parameters by name.
    pub parameters: BTreeMap<String, String>,
    /// The alarm.
    pub alarm: Option<String>,
}

fn bad(why: impl AsRef<str>) -> CommandError {
    CommandError::usage(format!("this is no link of drctl: {}", why.as_ref())).help(
        "it looks like drctl://run/restore-db?env=production&estate=techcorp&p.database=orders",
    )
}

/// Letters, digits, `_` and `-`, beginning with a letter or digit: names of documents and of ids.
fn is_name(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(good)
}

impl Link {
    /// Reads a link.
    ///
    /// # Errors
    /// It is none, or says what no link says.
    pub(super) fn parse(text: &str) -> Result<Self, CommandError> {
        if text.len() > LONGEST {
            return Err(bad(format!(
                "it has {} bytes, and at most {LONGEST} are read",
                text.len()
            )));
        }
        if !text.chars().all(|c| c.is_ascii_graphic()) || text.contains('#') {
            return Err(bad("it has characters that a link does not have"));
        }
        let rest =
            text.strip_prefix(SCHEME).ok_or_else(|| bad(format!("it must begin {SCHEME}")))?;
        let (runbook, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !is_name(runbook) {
            return Err(bad("it names no runbook: letters, digits, `_` and `-`"));
        }
        let mut link = Self { runbook: runbook.to_owned(), ..Self::default() };
        let mut seen = BTreeSet::new();
        check_escapes(query)?;
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            if !seen.insert(key.to_string()) {
                return Err(bad(format!("`{}` stands twice", shown(&key))));
            }
            check_value(&key, &value)?;
            link.take(&key, value.into_owned())?;
        }
        if link.env.is_empty() {
            return Err(bad("it names no environment (`env=`)"));
        }
        Ok(link)
    }

    fn take(&mut self, key: &str, value: String) -> Result<(), CommandError> {
        match key {
            "env" if is_name(&value) => self.env = value,
            "estate" if is_name(&value) => self.estate = value,
            "env" | "estate" => {
                return Err(bad(format!("`{key}` is no name: letters, digits, `_` and `-`")));
            }
            "alarm" if !value.is_empty() => self.alarm = Some(value),
            _ => match key.strip_prefix("p.").filter(|name| is_name(name)) {
                Some(name) => {
                    self.parameters.insert(name.to_owned(), value);
                }
                None => {
                    let key = shown(key);
                    return Err(bad(format!(
                        "it says `{key}`; a link says env, estate, alarm, p.NAME"
                    )));
                }
            },
        }
        Ok(())
    }

    /// As a link.
    pub(super) fn text(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("env", &self.env);
        if !self.estate.is_empty() {
            query.append_pair("estate", &self.estate);
        }
        for (name, value) in &self.parameters {
            query.append_pair(&format!("p.{name}"), value);
        }
        if let Some(alarm) = &self.alarm {
            query.append_pair("alarm", alarm);
        }
        format!("{SCHEME}{}?{}", self.runbook, query.finish())
    }

    /// What it asks for, for whoever decides.
    pub(super) fn asks(&self) -> String {
        let mut text = format!("it asks for runbook {} in environment {}", self.runbook, self.env);
        if !self.estate.is_empty() {
            let _ = write!(text, " of estate {}", self.estate);
        }
        for (name, value) in &self.parameters {
            let _ = write!(text, "\n  {name} = {value}");
        }
        if let Some(alarm) = &self.alarm {
            let _ = write!(text, "\n  because of alarm {alarm}");
        }
        text
    }

    /// Refuses what the runbook keeps secret: links go through messages, mails and histories of shells.
    ///
    /// # Errors
    /// A parameter of it is a secret.
    pub(super) fn without_secrets(&self, runbook: &Runbook) -> Result<(), CommandError> {
        let secret = self.parameters.keys().find(|name| {
            runbook.parameter(name).is_some_and(|it| it.kind == ParameterKind::Secret)
        });
        secret.map_or(Ok(()), |name| {
            Err(CommandError::usage(format!("parameter `{name}` is a secret: no link carries one")))
        })
    }
}

/// Refuses a `%` that is no escape: what reads as one thing and means another.
fn check_escapes(query: &str) -> Result<(), CommandError> {
    let bytes = query.as_bytes();
    let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let broken = (0..bytes.len()).any(|at| bytes[at] == b'%' && !(hex(at + 1) && hex(at + 2)));
    if broken { Err(bad("a `%` in it is no escape")) } else { Ok(()) }
}

fn check_value(key: &str, value: &str) -> Result<(), CommandError> {
    // Text that turns the reading direction around or moves the cursor shows what is not meant.
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffd}')
    };
    if value.chars().any(hidden) || value.len() > LONGEST_VALUE {
        let key = shown(key);
        return Err(bad(format!(
            "`{key}` has a value with hidden characters, or a longer one than {LONGEST_VALUE} bytes"
        )));
    }
    Ok(())
}

/// A key of somebody else's, as much of it as can be shown.
fn shown(key: &str) -> String {
    key.chars().filter(|c| c.is_ascii_graphic()).take(40).collect()
}

/// `drctl link`: prints the link.
///
/// # Errors
/// The runbook, the environment or a parameter is not there, or is a secret.
pub(super) fn run(
    tools: &Tools,
    args: &LinkArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let runbook = tools.runbook(&args.runbook)?;
    let estate = tools.estate(&args.estate.name)?;
    let place = environment(&estate, &args.env)?;
    let pairs = args.parameters.iter().filter_map(|text| text.split_once('='));
    let link = Link {
        runbook: runbook.name.clone(),
        env: args.env.clone(),
        estate: estate.name.clone(),
        parameters: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        alarm: args
            .alarm
            .as_ref()
            .map(|text| Ok::<_, CommandError>(named(text, &estate, place)?.arn))
            .transpose()?,
    };
    link.without_secrets(&runbook)?;
    parameters(&runbook, &BTreeMap::new(), &args.parameters)?;
    let text = link.text();
    // What is printed is read back as the same, or it is no link.
    if Link::parse(&text)? != link {
        return Err(bad("it does not read back as what was meant"));
    }
    match output {
        OutputForm::Text => out::result(&text),
        OutputForm::Json => {
            let document = serde_json::json!({ "schema_version": 1, "link": text });
            out::result(&document.to_string());
        }
    }
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::Link;
    use std::collections::BTreeMap;

    #[test]
    fn a_link_reads_back_as_it_was() {
        let link = Link {
            runbook: "restore-db".to_owned(),
            env: "production".to_owned(),
            estate: "techcorp".to_owned(),
            parameters: BTreeMap::from([
                ("database".to_owned(), "orders".to_owned()),
                ("note".to_owned(), "a & b = c % d + e ü".to_owned()),
            ]),
            alarm: Some("arn:aws:cloudwatch:us-east-1:123456789012:alarm:api down".to_owned()),
        };
        let text = link.text();
        assert!(text.starts_with(
            "drctl://run/restore-db?env=production&estate=techcorp&p.database=orders"
        ));
        assert_eq!(Link::parse(&text).expect("its own"), link);
    }

    #[test]
    fn what_a_link_does_not_say_is_refused() {
        let long = format!("drctl://run/x?env=a&p.b={}", "c".repeat(5000));
        let wide = format!("drctl://run/x?env=a&p.b={}", "c".repeat(1025));
        for bad in [
            "",
            "https://run/x?env=a",
            "drctl://drill/x?env=a",
            "DRCTL://run/x?env=a",
            "drctl://run/",
            "drctl://run/?env=a",
            "drctl://run/x",
            "drctl://run/x?env=",
            "drctl://run/../x?env=a",
            "drctl://run/x.yaml?env=a",
            "drctl://run/%2e%2e?env=a",
            "drctl://run/x/y?env=a",
            "drctl://user@run/x?env=a",
            "drctl://run/x?env=a&yes=true",
            "drctl://run/x?env=a&--yes",
            "drctl://run/x?env=a&answer=approve",
            "drctl://run/x?env=a&form=ungraceful",
            "drctl://run/x?env=a&plan=y",
            "drctl://run/x?env=a&env=b",
            "drctl://run/x?env=a&p.=b",
            "drctl://run/x?env=a&p.b.c=d",
            "drctl://run/x?env=a&alarm=",
            "drctl://run/x?env=--yes",
            "drctl://run/x?env=a%",
            "drctl://run/x?env=a&p.b=%zz",
            "drctl://run/x?env=a&p.b=%1b%5b31m",
            "drctl://run/x?env=a&p.b=%0a",
            "drctl://run/x?env=a&p.b=%e2%80%ae",
            "drctl://run/x?env=a&p.b=%ff",
            "drctl://run/x?env=a#b",
            "drctl://run/x?env=a b",
            &long,
            &wide,
        ] {
            assert!(Link::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_text_makes_the_reader_fall() {
        let mut random = fastrand::Rng::with_seed(7);
        let parts =
            ["drctl://run/", "x", "?", "env=", "a", "&", "p.", "=", "%", "2", "é", "\u{202e}", "+"];
        for _ in 0..20_000 {
            let text: String =
                (0..random.usize(0..20)).map(|_| parts[random.usize(0..parts.len())]).collect();
            if let Ok(link) = Link::parse(&text) {
                assert_eq!(Link::parse(&link.text()).expect("reads back"), link, "{text}");
            }
        }
    }
}
