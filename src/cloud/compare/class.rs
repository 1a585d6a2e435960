//! What the difference between two objects of one key means.
//!
//! **Invariant:** what was not proven equal is never counted as equal, and says how it was judged.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The class of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It is not at the destination, and should be.
    Missing,
    /// It is on both sides and not the same.
    Different,
    /// Replication of it is due, and has been for less than the time allowed.
    PendingYoung,
    /// Replication of it is due, and has been for longer.
    PendingOld,
    /// S3 gave its replication up.
    Failed,
    /// No rule was there yet when it was written.
    BeforeRule,
    /// The destination has a delete marker where the source has an object.
    DeletedAtDestination,
    /// The source has a delete marker where the destination has an object.
    DeletedAtSource,
    /// It is only at the destination.
    Extra,
    /// No rule copies it: replicas of replicas, archived objects, KMS without leave, another prefix.
    NotEligible,
    /// The sizes agree, and nothing that was read proves the contents equal.
    Unproven,
}

impl Class {
    /// All of them, the gravest first.
    pub const ALL: [Self; 11] = [
        Self::Missing,
        Self::Different,
        Self::Failed,
        Self::PendingOld,
        Self::BeforeRule,
        Self::DeletedAtDestination,
        Self::DeletedAtSource,
        Self::Extra,
        Self::Unproven,
        Self::PendingYoung,
        Self::NotEligible,
    ];

    /// Its name in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Different => "different",
            Self::PendingYoung => "pending_young",
            Self::PendingOld => "pending_old",
            Self::Failed => "failed",
            Self::BeforeRule => "before_rule",
            Self::DeletedAtDestination => "deleted_at_destination",
            Self::DeletedAtSource => "deleted_at_source",
            Self::Extra => "extra",
            Self::NotEligible => "not_eligible",
            Self::Unproven => "unproven",
        }
    }

    /// What it means, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Missing => "not at the destination",
            Self::Different => "on both sides, not the same",
            Self::PendingYoung => "replication is due since a short time",
            Self::PendingOld => "replication is overdue",
            Self::Failed => "S3 gave the replication up: copy it again",
            Self::BeforeRule => "written before a rule selected it: Batch Replication copies it",
            Self::DeletedAtDestination => "deleted at the destination only",
            Self::DeletedAtSource => "deleted at the source only",
            Self::Extra => "only at the destination",
            Self::NotEligible => "no rule copies it",
            Self::Unproven => "same size, contents not proven equal: try --checksum",
        }
    }

    /// Whether the source's object should be at the destination and is not: what a recovery point counts.
    pub fn is_behind(self) -> bool {
        match self {
            Self::Missing
            | Self::Different
            | Self::PendingYoung
            | Self::PendingOld
            | Self::Failed
            | Self::DeletedAtDestination => true,
            Self::BeforeRule
            | Self::DeletedAtSource
            | Self::Extra
            | Self::NotEligible
            | Self::Unproven => false,
        }
    }

    /// Whether it is as it should be: on its way, or nobody's to copy.
    pub fn is_expected(self) -> bool {
        matches!(self, Self::PendingYoung | Self::NotEligible)
    }
}

/// One side's object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Bytes.
    pub size: u64,
    /// When it was written, milliseconds since 1970.
    pub modified_ms: i64,
    /// Its ETag.
    pub etag: String,
    /// Its version, where it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A key whose objects differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The key, relative to the prefixes that were compared.
    pub key: String,
    /// What it means.
    pub class: Class,
    /// How that was decided.
    pub how: Cow<'static, str>,
    /// The source's object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Seen>,
    /// The destination's object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Seen>,
    /// What S3 says of the replication of the source's object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

impl Difference {
    /// The symbol of `rclone check --combined`: `+` is only at the source, `-` only at the destination, `*`
    /// differs, `!` could not be told.
    pub fn symbol(&self) -> char {
        match (self.class, &self.source, &self.destination) {
            (Class::Unproven, _, _) => '!',
            (_, Some(_), None) => '+',
            (_, None, Some(_)) => '-',
            (_, Some(_), Some(_)) => '*',
            (_, None, None) => '!',
        }
    }
}

/// What a comparison counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Keys of the source that were read.
    pub source: u64,
    /// Keys of the destination that were read.
    pub destination: u64,
    /// Keys whose objects are the same, by size and ETag.
    pub equal: u64,
    /// Keys whose objects are the same by a checksum of the content.
    pub equal_by_checksum: u64,
    /// Keys of which S3 says that one is the replica of the other, by status and version.
    pub equal_by_version: u64,
    /// Keys that differed in the lists, and no longer when they were looked at again.
    pub settled: u64,
    /// Keys that are too old to be compared.
    pub too_old: u64,
    /// Keys that were written after the older of two inventories was.
    #[serde(default)]
    pub too_new: u64,
    /// Differences by class.
    pub classes: BTreeMap<Class, u64>,
    /// When the oldest object was written that should be at the destination and is not, milliseconds
    /// since 1970, and its key.
    pub oldest: Option<(i64, String)>,
    /// Differences that were judged by the lists alone.
    pub not_looked_at: u64,
}

impl Totals {
    /// Keys that were compared.
    pub fn compared(&self) -> u64 {
        self.equal
            + self.equal_by_checksum
            + self.equal_by_version
            + self.settled
            + self.differing()
    }

    /// Keys that differ.
    pub fn differing(&self) -> u64 {
        self.classes.values().sum()
    }

    /// Keys of a class.
    pub fn of(&self, class: Class) -> u64 {
        self.classes.get(&class).copied().unwrap_or_default()
    }

    /// Differences that are not as they should be.
    pub fn unexpected(&self) -> u64 {
        let all = self.classes.iter().filter(|(class, _)| !class.is_expected());
        all.map(|(_, count)| count).sum()
    }

    /// Counts a difference.
    pub fn count(&mut self, difference: &Difference) {
        *self.classes.entry(difference.class).or_default() += 1;
        let Some(source) = difference.source.as_ref().filter(|_| difference.class.is_behind())
        else {
            return;
        };
        let older = self.oldest.as_ref().is_none_or(|(oldest, key)| {
            (source.modified_ms, difference.key.as_str()) < (*oldest, key.as_str())
        });
        if older {
            self.oldest = Some((source.modified_ms, difference.key.clone()));
        }
    }

    /// Takes up what another part of the same comparison counted.
    pub fn add(&mut self, other: Self) {
        self.source += other.source;
        self.destination += other.destination;
        self.equal += other.equal;
        self.equal_by_checksum += other.equal_by_checksum;
        self.equal_by_version += other.equal_by_version;
        self.settled += other.settled;
        self.too_old += other.too_old;
        self.too_new += other.too_new;
        self.not_looked_at += other.not_looked_at;
        for (class, count) in other.classes {
            *self.classes.entry(class).or_default() += count;
        }
        let oldest = [self.oldest.take(), other.oldest].into_iter().flatten().min();
        self.oldest = oldest;
    }
}
