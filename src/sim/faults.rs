//! Faults: what can be made to go wrong, by name.
//!
//! **Invariant:** a fault that names an operation strikes the first such call only, and the world
//! remembers that it struck, so that a retry or a resumed run meets a healthy AWS.

use crate::base::duration;
use crate::base::seed::Seed;
use crate::sim::api::SimError;
use crate::sim::state::Wrong;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A fault's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sim) enum FaultKind {
    /// `Throttling`: the first `=3` calls, or a share of all calls (`=0.5`; 0.2 without a value).
    Throttled,
    /// HTTP 503 and no effect: the first mutation, or the first call of `=Operation`.
    ErrorBeforeEffect,
    /// HTTP 500 although it took effect: as above.
    ErrorAfterEffect,
    /// It took effect and the connection breaks: as above.
    LostAnswer,
    /// Reads show the old state for `=90s` after a mutation.
    StaleRead,
    /// Restores never leave `creating`.
    StuckCreating,
    /// Restores end in `incompatible-restore`.
    RestoreFailed,
    /// Restores are refused: `InstanceQuotaExceeded`.
    QuotaExceeded,
    /// From the first restore call on, the latest restorable time lags `=2h` behind.
    WindowMoved,
    /// The estate's instances are gone; their automated backups are retained.
    SourceGone,
    /// Restores of encrypted instances are refused: `KMSKeyNotAccessibleFault`.
    KmsDisabled,
    /// Everything takes `=5` times as long.
    Slow,
    /// Restores bring back wrong data: `=stale`, `=empty-table`, `=missing-schema`,
    /// `=wrong-database`.
    WrongRestore,
    /// `ExpiredToken`: every call, or the first of `=Operation`.
    ExpiredCredentials,
    /// `AccessDenied`: every call but `GetCallerIdentity`, or the first of `=Operation`.
    AccessDenied,
}

/// All faults by the names that people write.
const NAMES: [(&str, FaultKind); 15] = [
    ("throttled", FaultKind::Throttled),
    ("error-before-effect", FaultKind::ErrorBeforeEffect),
    ("error-after-effect", FaultKind::ErrorAfterEffect),
    ("lost-answer", FaultKind::LostAnswer),
    ("stale-read", FaultKind::StaleRead),
    ("stuck-creating", FaultKind::StuckCreating),
    ("restore-failed", FaultKind::RestoreFailed),
    ("quota-exceeded", FaultKind::QuotaExceeded),
    ("window-moved", FaultKind::WindowMoved),
    ("source-gone", FaultKind::SourceGone),
    ("kms-disabled", FaultKind::KmsDisabled),
    ("slow", FaultKind::Slow),
    ("wrong-restore", FaultKind::WrongRestore),
    ("expired-credentials", FaultKind::ExpiredCredentials),
    ("access-denied", FaultKind::AccessDenied),
];

/// Wrong restores by name.
const WRONG: [(&str, Wrong); 4] = [
    ("stale", Wrong::Stale),
    ("empty-table", Wrong::EmptyTable),
    ("missing-schema", Wrong::MissingSchema),
    ("wrong-database", Wrong::OtherDatabase),
];

/// A fault that is switched on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Fault {
    /// As given: `lost-answer=DeleteDBInstance`.
    pub(in crate::sim) text: String,
    pub(in crate::sim) kind: FaultKind,
    /// What stands after `=`.
    pub(in crate::sim) value: Option<String>,
    /// How often it struck.
    pub(in crate::sim) struck: u32,
}

impl Fault {
    /// Reads `name` or `name=value`.
    pub(in crate::sim) fn parse(text: &str) -> Result<Self, SimError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
            None => (text.trim(), None),
        };
        let refuse = |reason: &str| SimError::Fault {
            fault: text.to_owned(),
            reason: reason.to_owned(),
            known: known(),
        };
        let found = NAMES.iter().find(|(known, _)| *known == name);
        let Some((_, kind)) = found else { return Err(refuse("there is no such fault")) };
        let fault = Self { text: text.to_owned(), kind: *kind, value, struck: 0 };
        fault.check().map_err(|reason| refuse(&reason))?;
        Ok(fault)
    }

    fn check(&self) -> Result<(), String> {
        let bad = |wanted: &str| Err(format!("its value must be {wanted}"));
        let Some(value) = self.value.as_deref() else {
            let needs_value = self.kind == FaultKind::WrongRestore;
            return if needs_value { bad(WRONG_VALUES) } else { Ok(()) };
        };
        let (valid, wanted) = match self.kind {
            FaultKind::Throttled => (
                value.parse::<u32>().is_ok() || rate(value).is_some_and(|rate| rate <= 1.0),
                "a number of calls such as `3` or a rate such as `0.2`",
            ),
            FaultKind::ErrorBeforeEffect
            | FaultKind::ErrorAfterEffect
            | FaultKind::LostAnswer
            | FaultKind::ExpiredCredentials
            | FaultKind::AccessDenied => (
                !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "the name of an operation such as `DeleteDBInstance`",
            ),
            FaultKind::StaleRead | FaultKind::WindowMoved => {
                (span(value).is_some(), "seconds or a duration such as `90s`")
            }
            FaultKind::Slow => {
                (rate(value).is_some_and(|factor| factor > 0.0), "a factor such as `3`")
            }
            FaultKind::WrongRestore => (WRONG.iter().any(|(name, _)| *name == value), WRONG_VALUES),
            FaultKind::StuckCreating
            | FaultKind::RestoreFailed
            | FaultKind::QuotaExceeded
            | FaultKind::SourceGone
            | FaultKind::KmsDisabled => return Err("it takes no value".to_owned()),
        };
        if valid { Ok(()) } else { bad(wanted) }
    }

    /// The value as time, where the fault takes one.
    pub(in crate::sim) fn span(&self) -> Option<Duration> {
        self.value.as_deref().and_then(span)
    }

    /// The value as a factor or rate.
    pub(in crate::sim) fn factor(&self) -> Option<f64> {
        self.value.as_deref().and_then(rate)
    }

    /// Which wrong restore it plants.
    pub(in crate::sim) fn wrong(&self) -> Option<Wrong> {
        let value = self.value.as_deref()?;
        WRONG.iter().find(|(name, _)| *name == value).map(|(_, wrong)| *wrong)
    }

    /// Whether `throttled` strikes request number `request`.
    pub(in crate::sim) fn throttles(&self, seed: Seed, request: u64) -> bool {
        match self.value.as_deref().map(str::parse::<u32>) {
            Some(Ok(calls)) => self.struck < calls,
            Some(Err(_)) | None => {
                let rate = self.factor().unwrap_or(0.2);
                seed.stream(&format!("request/{request}/throttled")).f64() < rate
            }
        }
    }
}

const WRONG_VALUES: &str = "`stale`, `empty-table`, `missing-schema` or `wrong-database`";

/// The names of all faults.
pub(in crate::sim) fn names() -> Vec<&'static str> {
    NAMES.map(|(name, _)| name).to_vec()
}

fn known() -> String {
    names().join(", ")
}

fn rate(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

fn span(text: &str) -> Option<Duration> {
    match text.parse::<u32>() {
        Ok(seconds) => Some(Duration::from_secs(u64::from(seconds))),
        Err(_) => duration::parse(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_and_values() {
        for text in [
            "throttled",
            "throttled=3",
            "throttled=0.5",
            "lost-answer=DeleteDBInstance",
            "stale-read=90",
            "stale-read=2m",
            "slow=2.5",
            "wrong-restore=stale",
            "kms-disabled",
        ] {
            assert_eq!(Fault::parse(text).expect(text).text, text);
        }
        assert_eq!(Fault::parse("stale-read=2m").unwrap().span(), Some(Duration::from_secs(120)));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for (text, part) in [
            ("throtled", "no such fault"),
            ("throttled=often", "number of calls"),
            ("throttled=1.5", "number of calls"),
            ("wrong-restore", "`stale`"),
            ("wrong-restore=odd", "`stale`"),
            ("slow=0", "a factor"),
            ("stale-read=soon", "seconds or a duration"),
            ("lost-answer=", "name of an operation"),
            ("kms-disabled=yes", "takes no value"),
        ] {
            let shown = Fault::parse(text).expect_err(text).to_string();
            assert!(shown.contains(part) && shown.contains("stuck-creating"), "{shown}");
        }
    }
}
