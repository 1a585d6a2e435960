//! What CloudWatch measured of rules.
//!
//! **Invariant:** no figure is not zero: without one nothing is late and nothing is well.

use super::Found;
use crate::action::s3::finding::{FAILED_OPERATIONS, FIGURES_UNSEEN, LATE, NO_FIGURES};
use crate::action::s3::subject::{Measured, Subject};
use crate::base::clock::format_instant;
use crate::base::duration;
use crate::cloud::model::{MeasuredFigure, ReplicationFigures};
use std::time::Duration;

const CALL: &str = "cloudwatch:GetMetricData";

/// Replication Time Control's own limit; without it the time after which a person should look.
const LIMIT: Duration = Duration::from_secs(15 * 60);

pub(super) fn judge(subject: &Subject, found: &mut Found) {
    let bucket = &subject.source.bucket;
    for (rule, measured) in &subject.figures {
        match measured {
            Measured::Unseen(why) => found.add(
                FIGURES_UNSEEN,
                bucket,
                format!("CloudWatch could not be asked about rule `{rule}` of `{bucket}`: how late it is \
                    is unknown"),
                (CALL, why.clone()),
                "let this role call cloudwatch:GetMetricData in both regions".to_owned(),
            ),
            Measured::Figures(figures) => one(bucket, rule, figures, found),
        }
    }
}

fn one(bucket: &str, rule: &str, figures: &ReplicationFigures, found: &mut Found) {
    let ReplicationFigures { latency, pending_bytes, pending_operations, failed } = figures;
    if let Some(failed) = failed.filter(|figure| figure.value >= 1.0) {
        found.add(
            FAILED_OPERATIONS,
            bucket,
            format!(
                "{} operations of rule `{rule}` of `{bucket}` failed in the last hour: S3 does not \
                try them again",
                failed.value
            ),
            (CALL, told("OperationsFailedReplication", failed)),
            "`drctl s3 compare` tells which; copy them in place or run S3 Batch Replication"
                .to_owned(),
        );
    }
    let late = latency.filter(|figure| figure.value > LIMIT.as_secs_f64());
    if let Some(latency) = late {
        let waiting = match (pending_operations, pending_bytes) {
            (Some(operations), Some(bytes)) => {
                format!("; {} operations with {} bytes wait", operations.value, bytes.value)
            }
            (Some(operations), None) => format!("; {} operations wait", operations.value),
            (None, _) => String::new(),
        };
        let behind = Duration::try_from_secs_f64(latency.value).unwrap_or(LIMIT);
        found.add(
            LATE,
            bucket,
            format!("rule `{rule}` of `{bucket}` is {} behind{waiting}", duration::human(behind)),
            (CALL, told("ReplicationLatency", latency)),
            "look at AWS's status of both regions and at what was written lately".to_owned(),
        );
    }
    let none = latency.is_none() && pending_bytes.is_none() && pending_operations.is_none();
    if none && failed.is_none() {
        found.add(
            NO_FIGURES,
            bucket,
            format!(
                "CloudWatch has no figures of rule `{rule}` of `{bucket}` of the last hour: it was \
                idle, or its metrics are younger than 15 minutes"
            ),
            (CALL, "no datapoints".to_owned()),
            "`drctl s3 canary` measures it with an object of its own".to_owned(),
        );
    }
}

fn told(name: &str, figure: MeasuredFigure) -> String {
    format!("{name} {} at {}", figure.value, format_instant(figure.at))
}
