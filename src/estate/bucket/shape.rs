//! What buckets look like in estate files.
//!
//! **Invariant:** the readers beside this file read exactly these fields.

use super::{Replicated, Versioning};
use crate::base::shape::{ANY_NAME, FieldShape, Is, Shape};
use crate::estate::shape::MOST;

/// Kinds of default encryption.
pub(super) const ENCRYPTIONS: &[&str] = &["AES256", "aws:kms"];

/// Modes of Object Lock.
pub(super) const LOCK_MODES: &[&str] = &["GOVERNANCE", "COMPLIANCE"];

/// Storage classes.
pub(super) const CLASSES: &[&str] = &[
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
];

/// Formats of an inventory.
pub(super) const FORMATS: &[&str] = &["CSV", "Parquet", "ORC"];

/// Whether a rule is on.
pub(super) const STATUSES: &[&str] = &["Enabled", "Disabled"];

/// Who owns replicas.
pub(super) const OWNERS: &[&str] = &["source", "destination"];

const SIZE: &str = r"^\d+(B|KiB|MiB|GiB)$";

const NAME: &str = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$";

const PREFIX: FieldShape =
    FieldShape::optional("prefix", Is::Text, "What the keys that it is about begin with.");

/// A bucket.
pub(in crate::estate) static BUCKET: Shape = Shape {
    summary: "An S3 bucket as it should be, and what its simulated world begins with.",
    fields: &[
        FieldShape::optional("name", Is::Matching(NAME), "Its name; else its key in the estate."),
        FieldShape::optional("region", Is::Text, "Where it lives; else the environment's region."),
        FieldShape::optional(
            "versioning",
            Is::Words(|| Versioning::WORDS.to_vec()),
            "Whether it keeps versions.",
        )
        .or("enabled"),
        FieldShape::optional(
            "encryption",
            Is::Words(|| ENCRYPTIONS.to_vec()),
            "Default encryption.",
        )
        .or("AES256"),
        FieldShape::optional("kms_key", Is::Text, "Alias or ARN of the key of `aws:kms`."),
        FieldShape::optional(
            "public_access_blocked",
            Is::Bool,
            "Whether all four settings against public access are on.",
        )
        .or("true"),
        FieldShape::optional("object_lock", Is::Record(&OBJECT_LOCK), "Object Lock."),
        FieldShape::optional("lifecycle", Is::List(0, &Is::Record(&LIFECYCLE)), "Lifecycle rules."),
        FieldShape::optional(
            "replication",
            Is::List(0, &Is::Record(&REPLICATION)),
            "Replication rules.",
        ),
        FieldShape::optional(
            "objects",
            Is::List(0, &Is::Record(&OBJECT)),
            "Objects that a simulated world begins with; several of one key are its versions.",
        ),
        FieldShape::optional(
            "generated",
            Is::Record(&GENERATED),
            "Objects of a simulated world that are computed and never stored.",
        ),
        FieldShape::optional("inventory", Is::Record(&INVENTORY), "S3 Inventory of it."),
    ],
    cases: None,
};

pub(super) static OBJECT_LOCK: Shape = Shape {
    summary: "Default retention of Object Lock.",
    fields: &[
        FieldShape::required("mode", Is::Words(|| LOCK_MODES.to_vec()), "Who may shorten it."),
        FieldShape::required("days", Is::Int(1, 36_500), "Days that a new version is kept."),
    ],
    cases: None,
};

pub(super) static LIFECYCLE: Shape = Shape {
    summary: "A lifecycle rule; it needs one of its three times.",
    fields: &[
        FieldShape::required("id", Is::Text, "Its id."),
        PREFIX,
        FieldShape::optional(
            "noncurrent_days",
            Is::Int(1, MOST),
            "Days after which a version that is not current is removed.",
        ),
        FieldShape::optional(
            "glacier_after",
            Is::Duration,
            "Days, as `90d`, after which an object moves to another storage class.",
        ),
        FieldShape::optional(
            "expire_after",
            Is::Duration,
            "Days, as `365d`, after which a current object is deleted.",
        ),
        FieldShape::optional("transition_class", Is::Words(|| CLASSES.to_vec()), "That class.")
            .or("GLACIER"),
    ],
    cases: None,
};

pub(super) static REPLICATION: Shape = Shape {
    summary: "A replication rule.",
    fields: &[
        FieldShape::required("id", Is::Text, "Its id."),
        FieldShape::required("to", Is::Text, "The destination, by its key among `buckets`."),
        PREFIX,
        FieldShape::optional(
            "tags",
            Is::Map(ANY_NAME, &Is::Text),
            "Tags that an object must have.",
        ),
        FieldShape::optional(
            "priority",
            Is::Int(0, MOST),
            "Of two rules for one destination the higher counts; else its place in the list.",
        ),
        FieldShape::optional("status", Is::Words(|| STATUSES.to_vec()), "Whether it is on.")
            .or("Enabled"),
        FieldShape::optional("delete_markers", Is::Bool, "Replicates delete markers too.")
            .or("false"),
        FieldShape::optional(
            "existing_objects",
            Is::Bool,
            "Replicates objects from before the rule too.",
        )
        .or("false"),
        FieldShape::optional(
            "storage_class",
            Is::Words(|| CLASSES.to_vec()),
            "Storage class of replicas; else the source's.",
        ),
        FieldShape::optional("kms", Is::Bool, "Replicates objects encrypted with KMS too.")
            .or("false"),
        FieldShape::optional("replica_kms_key", Is::Text, "Key of the replicas."),
        FieldShape::optional(
            "owner",
            Is::Words(|| OWNERS.to_vec()),
            "Whose account owns replicas.",
        )
        .or("source"),
        FieldShape::optional("time_control", Is::Bool, "Replication Time Control.").or("false"),
        FieldShape::optional(
            "metrics",
            Is::Bool,
            "Metrics in CloudWatch; on with Replication Time Control.",
        )
        .or("false"),
    ],
    cases: None,
};

pub(super) static OBJECT: Shape = Shape {
    summary: "An object that a simulated world begins with.",
    fields: &[
        FieldShape::required("key", Is::Text, "Its key, 1 to 1024 bytes."),
        FieldShape::optional("text", Is::Text, "What is in it."),
        FieldShape::optional("size", Is::Matching(SIZE), "Bytes that are computed, as `5MiB`."),
        FieldShape::optional("deleted", Is::Bool, "It is a delete marker.").or("false"),
        FieldShape::optional("age", Is::Duration, "How long ago it was put.").or("30d"),
        FieldShape::optional(
            "replicated",
            Is::Words(|| Replicated::WORDS.to_vec()),
            "What became of its replication; else `completed` where a rule is about it.",
        ),
        FieldShape::optional("metadata", Is::Map(ANY_NAME, &Is::Text), "User metadata."),
        FieldShape::optional("tags", Is::Map(ANY_NAME, &Is::Text), "Tags."),
        FieldShape::optional("storage_class", Is::Words(|| CLASSES.to_vec()), "Storage class.")
            .or("STANDARD"),
    ],
    cases: None,
};

pub(super) static GENERATED: Shape = Shape {
    summary: "Objects that are computed from the seed.",
    fields: &[
        FieldShape::optional("keys", Is::Int(1, 1_000_000_000), "How many; else its original's."),
        FieldShape::optional("prefix", Is::Text, "What their keys begin with."),
        FieldShape::optional("size", Is::Matching(SIZE), "Bytes of each.").or("1KiB"),
        FieldShape::optional(
            "mirror_of",
            Is::Text,
            "Bucket, by its key among `buckets`, whose generated objects these are replicas of.",
        ),
        FieldShape::optional("differs", Is::Record(&DIFFERS), "How a mirror differs from it."),
    ],
    cases: None,
};

pub(super) static DIFFERS: Shape = Shape {
    summary: "How many generated objects are not as in the original.",
    fields: &[
        FieldShape::optional("missing", Is::Int(0, MOST), "Not there.").or("0"),
        FieldShape::optional("changed", Is::Int(0, MOST), "There with other content.").or("0"),
        FieldShape::optional("extra", Is::Int(0, MOST), "There and not in the original.").or("0"),
    ],
    cases: None,
};

pub(super) static INVENTORY: Shape = Shape {
    summary: "S3 Inventory of a bucket.",
    fields: &[
        FieldShape::required("id", Is::Text, "Its id."),
        FieldShape::required("to", Is::Text, "Where it is written, by its key among `buckets`."),
        FieldShape::optional("prefix", Is::Text, "What the keys of its files begin with."),
        FieldShape::optional(
            "format",
            Is::Words(|| FORMATS.to_vec()),
            "Format; a simulated world writes CSV only.",
        )
        .or("CSV"),
        FieldShape::optional("all_versions", Is::Bool, "Lists all versions.").or("false"),
    ],
    cases: None,
};

/// What an environment changes in a bucket.
pub(in crate::estate) static BUCKET_CHANGES: Shape = Shape {
    summary: "What an environment changes in a bucket.",
    fields: &[
        FieldShape::optional("name", Is::Matching(NAME), "Another name."),
        FieldShape::optional("region", Is::Text, "Another region."),
        FieldShape::optional(
            "versioning",
            Is::Words(|| Versioning::WORDS.to_vec()),
            "Another versioning.",
        ),
        FieldShape::optional(
            "encryption",
            Is::Words(|| ENCRYPTIONS.to_vec()),
            "Another default encryption.",
        ),
        FieldShape::optional("kms_key", Is::Text, "Another key."),
        FieldShape::optional(
            "public_access_blocked",
            Is::Bool,
            "With or without the settings against public access.",
        ),
    ],
    cases: None,
};
