//! What a look at a replicated bucket found: stable ids, severity, evidence, remedy.
//!
//! **Invariant:** an id, once shipped, keeps its meaning; every finding says which answer it rests on.

use std::fmt;

/// How bad a finding is, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Info,
    /// It works today and may not when it is needed, or nobody could look.
    Warning,
    /// Objects are not copied, or their copies are not safe.
    Error,
}

impl Severity {
    /// The words, from good to bad.
    pub const WORDS: &'static [&'static str] = &["info", "warning", "error"];

    /// The word.
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// The severity that a word names.
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [Self::Info, Self::Warning, Self::Error];
        all.into_iter().find(|severity| severity.word() == word)
    }
}

/// One rule that a bucket is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// `S3-001`: stable.
    pub id: &'static str,
    /// How bad it is when it is broken.
    pub severity: Severity,
    /// What is wrong then, in a few words.
    pub title: &'static str,
}

/// A rule that is broken, somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The bucket that it is about.
    pub bucket: String,
    /// What was found, with exact names.
    pub what: String,
    /// What it rests on: operation, and what was answered.
    pub evidence: (String, String),
    /// The command or setting that mends it.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule { id, severity, .. } = self.rule;
        write!(f, "{id} {}: {}", severity.word(), self.what)
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $id:literal $severity:ident $title:literal;)*) => {
        $($(#[$doc])* pub(super) const $name: Rule =
            Rule { id: $id, severity: Severity::$severity, title: $title };)*

        /// Every rule, by id.
        pub const RULES: &[Rule] = &[$($name),*];
    };
}

rules! {
    SOURCE_UNVERSIONED = "S3-001" Error "the source never kept versions";
    SOURCE_SUSPENDED = "S3-002" Error "the source's versioning is suspended";
    SOURCE_OPEN = "S3-003" Warning "the source's public access block has gaps";
    SOURCE_PUBLIC = "S3-004" Error "the source's policy is public";
    SOURCE_UNENCRYPTED = "S3-005" Error "the source encrypts nothing by default";
    NO_REPLICATION = "S3-010" Error "nothing is replicated";
    NO_RULE_TO_DESTINATION = "S3-011" Error "no rule names the destination";
    RULE_DISABLED = "S3-012" Warning "a rule is off";
    NO_ENABLED_RULE = "S3-013" Error "no rule to the destination is on";
    PARTLY_COVERED = "S3-014" Warning "the rules do not select every object";
    SHADOWED = "S3-015" Warning "a rule never applies";
    OVERLAP = "S3-016" Info "rules overlap, and priority decides";
    NO_DELETE_MARKERS = "S3-017" Info "deletions are not replicated";
    NOT_EXISTING = "S3-018" Info "objects from before the rule are not replicated";
    COLD_COPIES = "S3-019" Warning "copies are archived at once";
    KMS_NOT_SELECTED = "S3-020" Error "objects encrypted with KMS are not selected";
    NO_REPLICA_KEY = "S3-021" Error "copies of objects encrypted with KMS have no key";
    REPLICA_KEY_ELSEWHERE = "S3-022" Error "the key of the copies is in another region";
    FOREIGN_OWNER = "S3-023" Warning "the source's account owns the copies";
    OWNER_WITHOUT_ACCOUNT = "S3-024" Error "the new owner of the copies is not named";
    NO_ROLE = "S3-025" Error "the configuration names no role";
    NO_METRICS = "S3-026" Warning "nobody can see whether replication is late";
    NO_TIME_CONTROL = "S3-027" Info "no time is promised";
    DESTINATION_MISSING = "S3-030" Error "the destination does not exist";
    DESTINATION_UNSEEN = "S3-031" Warning "the destination could not be looked at";
    DESTINATION_UNVERSIONED = "S3-032" Error "the destination never kept versions";
    DESTINATION_SUSPENDED = "S3-033" Error "the destination's versioning is suspended";
    REGION_NOT_ALLOWED = "S3-034" Error "copies leave the allowed regions";
    SAME_REGION = "S3-035" Warning "copies are lost together with the region";
    DESTINATION_UNENCRYPTED = "S3-036" Error "the destination encrypts nothing by default";
    DESTINATION_OPEN = "S3-037" Warning "the destination's public access block has gaps";
    DESTINATION_PUBLIC = "S3-038" Error "the destination's policy is public";
    COPIES_EXPIRE = "S3-040" Error "a lifecycle rule deletes copies before their originals";
    COPIES_MOVE = "S3-041" Warning "a lifecycle rule archives copies";
    SOURCE_VERSIONS_EXPIRE = "S3-042" Error "old versions at the source are not kept long enough";
    DESTINATION_VERSIONS_EXPIRE = "S3-043" Error
        "old versions at the destination are not kept long enough";
    EXPIRY_NOT_COPIED = "S3-044" Info "what expires at the source stays at the destination";
    LOCK_NOT_COPIED = "S3-050" Error "the source locks objects and the destination cannot";
    LOCK_AT_DESTINATION = "S3-051" Info "copies are locked although their originals are not";
    BOTH_WAYS = "S3-060" Warning "two buckets replicate to each other, changes of metadata do not";
    ONWARD = "S3-061" Warning "copies are not copied on";
    FAILED_OPERATIONS = "S3-070" Error "replication failed for some objects";
    LATE = "S3-071" Warning "replication is late";
    NO_FIGURES = "S3-072" Info "CloudWatch has no figures";
    FIGURES_UNSEEN = "S3-073" Warning "CloudWatch could not be asked";
    NOT_READ = "S3-090" Warning "a part of the configuration could not be read";
}

#[cfg(test)]
mod tests {
    use super::{RULES, Severity};
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_sorted_and_given_once() {
        let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        assert!(ids.is_sorted(), "{ids:?}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }

    #[test]
    fn severities_have_an_order_and_words() {
        assert!(Severity::Info < Severity::Warning && Severity::Warning < Severity::Error);
        for word in Severity::WORDS {
            assert_eq!(Severity::of_word(word).map(Severity::word), Some(*word));
        }
        assert_eq!(Severity::of_word("fatal"), None);
    }
}
