//! What estate files look like.
//!
//! **Invariant:** `load.rs` reads exactly these fields.

use super::alarm::{ALARM, ALARM_CHANGES};
use super::bucket::{BUCKET, BUCKET_CHANGES};
use super::export::EXPORT;
use super::log_group::{LOG_GROUP, LOG_GROUP_CHANGES};
use super::security_group::{SECURITY_GROUP, SECURITY_GROUP_CHANGES};
use super::service::{SERVICE, SERVICE_CHANGES};
use super::zones::{HEALTH_CHANGES_FIELD, HEALTH_CHECKS_FIELD, ZONE_CHANGES_FIELD, ZONES_FIELD};
use crate::base::shape::{ANY_NAME, Cases, FieldShape, Is, Shape};

pub(super) const MOST: i64 = u32::MAX as i64;

/// The version that begins every file.
pub const API_VERSION: FieldShape = FieldShape::required(
    "apiVersion",
    Is::Exactly("drctl/v1"),
    "Version of the language; always `drctl/v1`.",
);

/// An estate file.
pub static ESTATE: Shape = Shape {
    summary: "What is protected, where it lives, and what was promised for it.",
    fields: &[
        API_VERSION,
        FieldShape::required("kind", Is::Exactly("Estate"), "What the file is."),
        FieldShape::required("name", Is::Text, "Its name; drills and `--estate` use it."),
        FieldShape::optional("description", Is::Text, "What it is, for people."),
        OBJECTIVES_FIELD,
        FieldShape::optional(
            "databases",
            Is::Map(ANY_NAME, &Is::Record(&DATABASE)),
            "Databases by their name in the estate, which is not their instance identifier.",
        ),
        FieldShape::optional(
            "security_groups",
            Is::Map(ANY_NAME, &Is::Record(&SECURITY_GROUP)),
            "Security groups by their name in the estate, which is not their id.",
        ),
        FieldShape::optional(
            "exports",
            Is::Map(ANY_NAME, &Is::Record(&EXPORT)),
            "Exports of snapshots to buckets, by name.",
        ),
        FieldShape::optional(
            "buckets",
            Is::Map(ANY_NAME, &Is::Record(&BUCKET)),
            "S3 buckets by their name in the estate.",
        ),
        ZONES_FIELD,
        HEALTH_CHECKS_FIELD,
        FieldShape::optional(
            "services",
            Is::Map(ANY_NAME, &Is::Record(&SERVICE)),
            "ECS services by their name in the estate.",
        ),
        FieldShape::optional(
            "log_groups",
            Is::Map(ANY_NAME, &Is::Record(&LOG_GROUP)),
            "Log groups of CloudWatch Logs by their name in the estate.",
        ),
        FieldShape::optional(
            "alarms",
            Is::Map(ANY_NAME, &Is::Record(&ALARM)),
            "CloudWatch alarms by their name in the estate.",
        ),
        FieldShape::optional(
            "environments",
            Is::Map(ANY_NAME, &Is::Record(&ENVIRONMENT)),
            "Where the estate lives, by name; at least one.",
        ),
    ],
    cases: None,
};

/// The field of what was promised.
pub const OBJECTIVES_FIELD: FieldShape = FieldShape::optional(
    "objectives",
    Is::Record(&OBJECTIVES),
    "What was promised; what is absent is filled from the runbook, the database, the estate.",
);

/// What was promised.
pub(super) static OBJECTIVES: Shape = Shape {
    summary: "What was promised.",
    fields: &[
        FieldShape::optional(
            "recovery_time",
            Is::Duration,
            "Longest time from the disaster (or its declaration, or the start) to recovered.",
        ),
        FieldShape::optional(
            "recovery_point",
            Is::Duration,
            "Most data that may be lost, as time.",
        ),
    ],
    cases: None,
};

pub(super) static DATABASE: Shape = Shape {
    summary: "An RDS database instance as it should be.",
    fields: &[
        FieldShape::required("instance", Is::Text, "Its DBInstanceIdentifier."),
        FieldShape::optional("region", Is::Text, "Where it lives; else the environment's region."),
        FieldShape::optional(
            "allowed_regions",
            Is::Texts,
            "Regions that its data may be in besides its own; else what the environment allows.",
        ),
        FieldShape::optional("engine", Is::Text, "Database engine.").or("postgres"),
        FieldShape::optional("engine_version", Is::Text, "Version, in quotes.").or("15.4"),
        FieldShape::optional("class", Is::Text, "Instance class.").or("db.t3.medium"),
        FieldShape::optional("storage_gib", Is::Int(0, MOST), "Allocated storage, GiB.").or("20"),
        FieldShape::optional("storage_type", Is::Text, "Storage type.").or("gp3"),
        FieldShape::optional("multi_az", Is::Bool, "Standby in a second zone.").or("false"),
        FieldShape::optional("kms_key", Is::Text, "KMS key; absent means not encrypted."),
        FieldShape::optional(
            "backup_retention_days",
            Is::Int(0, MOST),
            "Days that backups are kept; 0 turns point-in-time restore off.",
        )
        .or("7"),
        FieldShape::optional("backup_window", Is::Text, "Daily backup window, UTC.")
            .or("03:00-03:30"),
        FieldShape::optional("deletion_protection", Is::Bool, "Deletion protection.").or("false"),
        FieldShape::optional("subnet_group", Is::Text, "DB subnet group.").or("default"),
        FieldShape::optional("security_groups", Is::Texts, "VPC security group ids."),
        FieldShape::optional("parameter_group", Is::Text, "DB parameter group.")
            .or("default.postgres15"),
        FieldShape::optional("log_exports", Is::Texts, "Logs exported to CloudWatch."),
        FieldShape::optional("port", Is::Int(0, MOST), "TCP port.").or("5432"),
        FieldShape::optional("database", Is::Text, "Database inside the instance.").or("postgres"),
        FieldShape::optional("user", Is::Text, "Master user.").or("postgres"),
        FieldShape::optional("secret", Is::Text, "Secret with `username` and `password`."),
        FieldShape::optional("replica_of", Is::Text, "The source, for a read replica."),
        OBJECTIVES_FIELD,
        FieldShape::optional("tags", Is::Map(ANY_NAME, &Is::Text), "Tags that it carries."),
        FieldShape::optional("dataset", Is::Record(&DATASET), "What the simulator keeps in it."),
    ],
    cases: None,
};

pub(super) static DATASET: Shape = Shape {
    summary: "The data that a simulated database holds, as a function of time.",
    fields: &[
        FieldShape::optional("tables", Is::Map(ANY_NAME, &Is::Record(&TABLE)), "Its tables."),
        FieldShape::optional("extensions", Is::Texts, "PostgreSQL extensions."),
        FieldShape::optional(
            "heartbeat_every",
            Is::Duration,
            "How often a heartbeat is written; without it nobody writes one.",
        ),
    ],
    cases: None,
};

pub(super) static TABLE: Shape = Shape {
    summary: "A table of a simulated database.",
    fields: &[
        FieldShape::optional("rows", Is::Int(0, MOST), "Rows when the world begins.").or("0"),
        FieldShape::optional("row_every", Is::Duration, "Time between two new rows."),
    ],
    cases: None,
};

/// A further account.
pub(super) static ACCOUNT: Shape = Shape {
    summary: "An account that steps act in with a role of it.",
    fields: &[
        FieldShape::required(
            "account",
            Is::Matching(r"^\d{12}$|^$"),
            "Twelve-digit account id in quotes, checked before anything is done in it.",
        ),
        FieldShape::required("role", Is::Text, "ARN of the role; a dry run narrows it to reading."),
        FieldShape::optional("external_id", Is::Text, "What the role's trust policy asks for."),
        FieldShape::optional(
            "session_tags",
            Is::Map(ANY_NAME, &Is::Text),
            "Tags of the session, for the conditions of policies.",
        ),
        FieldShape::optional("session_name", Is::Text, "Name of the session in CloudTrail.")
            .or("drctl"),
    ],
    cases: None,
};

/// A simulated role.
pub(super) static TRUST: Shape = Shape {
    summary: "What a simulated role's trust policy asks for.",
    fields: &[
        FieldShape::optional("external_id", Is::Text, "The external id that has to be given."),
        FieldShape::optional("session_tags", Is::Texts, "Keys of tags that have to be given."),
    ],
    cases: None,
};

pub(super) static ENVIRONMENT: Shape = Shape {
    summary: "Where an estate lives.",
    fields: &[
        FieldShape::required(
            "type",
            Is::Words(|| KINDS.to_vec()),
            "What answers: the embedded simulator, AWS-compatible servers, or AWS.",
        ),
        FieldShape::required(
            "account",
            Is::Matching(r"^\d{12}$|^$"),
            "Twelve-digit account id in quotes, checked before anything else.",
        ),
        FieldShape::required("region", Is::Text, "Region of everything that names none."),
        FieldShape::optional("allowed_regions", Is::Texts, "Further regions that data may be in."),
        FieldShape::optional("protected", Is::Bool, "Never satisfied by `--yes`.").or("false"),
        FieldShape::optional("sql", Is::Record(&SQL), "How SQL checks reach databases."),
        FieldShape::optional(
            "databases",
            Is::Map(ANY_NAME, &Is::Record(&CHANGES)),
            "What differs here from the estate's databases.",
        ),
        FieldShape::optional(
            "buckets",
            Is::TextsOrMap(&Is::Record(&BUCKET_CHANGES)),
            "What differs here from the estate's buckets; in a simulated environment also a list of \
             further buckets that there are.",
        ),
        ZONE_CHANGES_FIELD,
        HEALTH_CHANGES_FIELD,
        FieldShape::optional(
            "accounts",
            Is::Map(ANY_NAME, &Is::Record(&ACCOUNT)),
            "Further accounts by name, each with its role; a step says `account: NAME`.",
        ),
        FieldShape::optional(
            "security_groups",
            Is::Map(ANY_NAME, &Is::Record(&SECURITY_GROUP_CHANGES)),
            "What differs here from the estate's security groups.",
        ),
        FieldShape::optional(
            "services",
            Is::Map(ANY_NAME, &Is::Record(&SERVICE_CHANGES)),
            "What differs here from the estate's services.",
        ),
        FieldShape::optional(
            "log_groups",
            Is::Map(ANY_NAME, &Is::Record(&LOG_GROUP_CHANGES)),
            "What differs here from the estate's log groups.",
        ),
        FieldShape::optional(
            "alarms",
            Is::Map(ANY_NAME, &Is::Record(&ALARM_CHANGES)),
            "What differs here from the estate's alarms.",
        ),
    ],
    cases: Some(Cases {
        by: "type",
        of: &[
            (
                "simulated",
                &[
                    FieldShape::optional("seed", Is::Int(0, MOST), "Seed of all randomness.")
                        .or("1"),
                    FieldShape::optional("faults", Is::Texts, "Faults that are switched on."),
                    FieldShape::optional("topics", Is::Texts, "SNS topics that there are."),
                    FieldShape::optional(
                        "roles",
                        Is::Map("^arn:", &Is::Record(&TRUST)),
                        "Roles of other accounts by ARN, and what their trust policies ask for.",
                    ),
                    FieldShape::optional(
                        "http",
                        Is::Map("^https?://", &Is::Record(&HTTP_REPLY)),
                        "What HTTP servers answer, by address; no other address answers.",
                    ),
                    FieldShape::optional(
                        "dns",
                        Is::Map(ANY_NAME, &Is::Record(&NAME_REPLY)),
                        "Records by name; no other name exists.",
                    ),
                ],
            ),
            (
                "endpoints",
                &[FieldShape::optional(
                    "endpoints",
                    Is::Map(ANY_NAME, &Is::Matching("^https?://")),
                    "Addresses by service; `default` for the rest.",
                )],
            ),
            (
                "aws",
                &[
                    FieldShape::optional("profile", Is::Text, "Profile of the AWS configuration."),
                    FieldShape::optional("role", Is::Text, "ARN of a role to assume."),
                    FieldShape::optional("external_id", Is::Text, "External id for that role."),
                ],
            ),
        ],
    }),
};

/// What an HTTP server of a simulated environment answers.
pub(super) static HTTP_REPLY: Shape = Shape {
    summary: "What an HTTP server answers.",
    fields: &[
        FieldShape::optional("status", Is::Int(100, 599), "Status code.").or("200"),
        FieldShape::optional("body", Is::Text, "Body."),
        FieldShape::optional("latency", Is::Duration, "How long the answer takes."),
    ],
    cases: None,
};

/// What DNS of a simulated environment answers about a name.
pub(super) static NAME_REPLY: Shape = Shape {
    summary: "What DNS answers about a name.",
    fields: &[
        FieldShape::optional("a", Is::Anything, "IPv4 addresses: one, or a list."),
        FieldShape::optional("aaaa", Is::Anything, "IPv6 addresses: one, or a list."),
        FieldShape::optional("cname", Is::Anything, "The name that it stands for."),
        FieldShape::optional("mx", Is::Anything, "Mail servers: one, or a list."),
        FieldShape::optional("ns", Is::Anything, "Name servers: one, or a list."),
        FieldShape::optional("ptr", Is::Anything, "Names of an address: one, or a list."),
        FieldShape::optional("srv", Is::Anything, "Servers of a service: one, or a list."),
        FieldShape::optional("txt", Is::Anything, "Texts: one, or a list."),
        FieldShape::optional("ttl", Is::Int(0, 2_147_483_647), "Time to live, seconds.").or("60"),
    ],
    cases: None,
};

/// Kinds of environments.
pub(super) const KINDS: &[&str] = &["simulated", "endpoints", "aws"];

pub(super) static SQL: Shape = Shape {
    summary: "How SQL checks reach databases.",
    fields: &[
        FieldShape::optional(
            "via",
            Is::Texts,
            "Command that opens a tunnel, with {host}, {port} and {local_port}.",
        ),
        FieldShape::optional(
            "sslrootcert",
            Is::Text,
            "PEM file with the authorities that sign the server's certificate.",
        ),
    ],
    cases: None,
};

pub(super) static CHANGES: Shape = Shape {
    summary: "What an environment changes in a database.",
    fields: &[
        FieldShape::optional("instance", Is::Text, "Another instance identifier."),
        FieldShape::optional("region", Is::Text, "Another region."),
        FieldShape::optional("class", Is::Text, "Another instance class."),
        FieldShape::optional("secret", Is::Text, "Another secret."),
        FieldShape::optional("backup_retention_days", Is::Int(0, MOST), "Another retention."),
        FieldShape::optional("multi_az", Is::Bool, "With or without a standby."),
        FieldShape::optional("deletion_protection", Is::Bool, "With or without protection."),
    ],
    cases: None,
};
