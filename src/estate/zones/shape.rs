//! What zones and health checks look like in estate files.
//!
//! **Invariant:** `load.rs` beside this file reads exactly these fields.

use crate::base::shape::{ANY_NAME, FieldShape, Is, Shape};

/// The zones of an estate.
pub(in crate::estate) const ZONES_FIELD: FieldShape = FieldShape::optional(
    "zones",
    Is::Map(ANY_NAME, &ZONE_ENTRY),
    "Hosted zones of Route 53 by their name in the estate.",
);

/// Its health checks.
pub(in crate::estate) const HEALTH_CHECKS_FIELD: FieldShape = FieldShape::optional(
    "health_checks",
    Is::Map(ANY_NAME, &HEALTH_CHECK_ENTRY),
    "Health checks of Route 53 by their name in the estate.",
);

/// What an environment changes in zones.
pub(in crate::estate) const ZONE_CHANGES_FIELD: FieldShape = FieldShape::optional(
    "zones",
    Is::Map(ANY_NAME, &ZONE_CHANGES_ENTRY),
    "What differs here from the estate's hosted zones.",
);

/// What an environment changes in health checks.
pub(in crate::estate) const HEALTH_CHANGES_FIELD: FieldShape = FieldShape::optional(
    "health_checks",
    Is::Map(ANY_NAME, &HEALTH_CHANGES_ENTRY),
    "What differs here from the estate's health checks.",
);

static ZONE_ENTRY: Is = Is::Record(&ZONE);
static HEALTH_CHECK_ENTRY: Is = Is::Record(&HEALTH_CHECK);
static ZONE_CHANGES_ENTRY: Is = Is::Record(&ZONE_CHANGES);
static HEALTH_CHANGES_ENTRY: Is = Is::Record(&HEALTH_CHANGES);

/// Longest time to live that DNS knows.
const MOST_TTL: i64 = 2_147_483_647;

/// Types of records that Route 53 keeps.
pub(super) const KINDS: &[&str] =
    &["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SPF", "SRV", "TXT"];

/// Types of health checks that the simulator follows the world with.
pub(super) const CHECKS: &[&str] = &["HTTP", "HTTPS", "TCP"];

/// Roles in a pair of failover records.
pub(super) const FAILOVERS: &[&str] = &["PRIMARY", "SECONDARY"];

/// A hosted zone.
pub(super) static ZONE: Shape = Shape {
    summary: "A hosted zone of Route 53.",
    fields: &[
        FieldShape::required("id", Is::Text, "Hosted zone id, such as `Z0123456789ABC`."),
        FieldShape::required("name", Is::Text, "Domain name of the zone."),
        FieldShape::optional("private", Is::Bool, "Whether it answers inside VPCs only.")
            .or("false"),
        FieldShape::optional(
            "records",
            Is::Map(ANY_NAME, &Is::Record(&RECORD)),
            "Record sets by their name in the estate; runbooks refer to that name.",
        ),
    ],
    cases: None,
};

pub(super) static RECORD: Shape = Shape {
    summary: "A record set: `values`, `alias` or `database` says what is answered.",
    fields: &[
        FieldShape::required("name", Is::Text, "DNS name, inside the zone."),
        FieldShape::required("type", Is::Words(|| KINDS.to_vec()), "Type of record."),
        FieldShape::optional("ttl", Is::Int(0, MOST_TTL), "Time to live, seconds.").or("60"),
        FieldShape::optional("values", Is::Texts, "Values, as Route 53 writes them."),
        FieldShape::optional("alias", Is::Record(&ALIAS), "The target of an alias record."),
        FieldShape::optional(
            "database",
            Is::Text,
            "Database of the estate; its endpoint is the value.",
        ),
        FieldShape::optional(
            "set_identifier",
            Is::Text,
            "What tells it from other sets of the same name and type.",
        ),
        FieldShape::optional("weight", Is::Int(0, 255), "Share of the answers."),
        FieldShape::optional(
            "failover",
            Is::Words(|| FAILOVERS.to_vec()),
            "Its role in a pair of failover records.",
        ),
        FieldShape::optional("health_check", Is::Text, "Health check of the estate."),
    ],
    cases: None,
};

pub(super) static ALIAS: Shape = Shape {
    summary: "The target of an alias record.",
    fields: &[
        FieldShape::required("zone", Is::Text, "Hosted zone id of the target."),
        FieldShape::required("name", Is::Text, "DNS name of the target."),
        FieldShape::optional(
            "evaluate_health",
            Is::Bool,
            "Whether the alias is as healthy as its target.",
        )
        .or("false"),
    ],
    cases: None,
};

/// A health check.
pub(super) static HEALTH_CHECK: Shape = Shape {
    summary: "A health check of Route 53.",
    fields: &[
        FieldShape::required("id", Is::Text, "Its id."),
        FieldShape::optional("type", Is::Words(|| CHECKS.to_vec()), "What it asks with.")
            .or("HTTPS"),
        FieldShape::optional("host", Is::Text, "Name or address of what it asks."),
        FieldShape::optional("port", Is::Int(1, 65_535), "Port of it."),
        FieldShape::optional("path", Is::Text, "Path of it."),
        FieldShape::optional("interval", Is::Duration, "10s or 30s.").or("30s"),
        FieldShape::optional(
            "failure_threshold",
            Is::Int(1, 10),
            "How many requests in a row change its mind.",
        )
        .or("3"),
        FieldShape::optional("inverted", Is::Bool, "Whether it says the opposite.").or("false"),
        FieldShape::optional("disabled", Is::Bool, "Whether it always says healthy.").or("false"),
        FieldShape::optional(
            "follows",
            Is::Text,
            "Service of the estate: simulated, the check is healthy while that service has running \
             tasks and its database takes writes.",
        ),
    ],
    cases: None,
};

/// What an environment changes in a zone.
pub(super) static ZONE_CHANGES: Shape = Shape {
    summary: "What an environment changes in a hosted zone.",
    fields: &[
        FieldShape::optional("id", Is::Text, "Another hosted zone id."),
        FieldShape::optional("name", Is::Text, "Another domain name."),
        FieldShape::optional("private", Is::Bool, "Inside VPCs only, or not."),
        FieldShape::optional(
            "records",
            Is::Map(ANY_NAME, &Is::Record(&RECORD_CHANGES)),
            "What differs here in its records.",
        ),
    ],
    cases: None,
};

pub(super) static RECORD_CHANGES: Shape = Shape {
    summary: "What an environment changes in a record set.",
    fields: &[
        FieldShape::optional("name", Is::Text, "Another DNS name."),
        FieldShape::optional("ttl", Is::Int(0, MOST_TTL), "Another time to live, seconds."),
        FieldShape::optional("values", Is::Texts, "Other values."),
        FieldShape::optional("weight", Is::Int(0, 255), "Another weight."),
    ],
    cases: None,
};

/// What an environment changes in a health check.
pub(super) static HEALTH_CHANGES: Shape = Shape {
    summary: "What an environment changes in a health check.",
    fields: &[
        FieldShape::optional("id", Is::Text, "Another id."),
        FieldShape::optional("host", Is::Text, "Another host."),
        FieldShape::optional("path", Is::Text, "Another path."),
        FieldShape::optional("follows", Is::Text, "Another service to follow."),
    ],
    cases: None,
};
