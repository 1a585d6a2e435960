//! Exports of log groups to S3.
//!
//! **Invariant:** an account has one export under way in a region; what it wrote is in the bucket when it
//! has completed and not before.

use super::groups::stored;
use super::{invalid, page};
use crate::base::clock::to_delta;
use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::genesis::uuid;
use crate::sim::s3::Version;
use crate::sim::state::World;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What AWS puts before the objects when the call names nothing.
const USUAL_PREFIX: &str = "exportedlogs";

/// An export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Export {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) region: String,
    pub(super) group: String,
    /// Milliseconds since 1970.
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) bucket: String,
    pub(super) prefix: String,
    pub(super) created: DateTime<Utc>,
    pub(super) begins: DateTime<Utc>,
    pub(super) completes: DateTime<Utc>,
    /// When somebody cancelled it.
    pub(super) cancelled: Option<DateTime<Utc>>,
    /// Whether its object is in the bucket.
    pub(super) written: bool,
}

impl Export {
    /// `status.code` at `at`.
    fn status(&self, at: DateTime<Utc>) -> &'static str {
        if self.cancelled.is_some() {
            "CANCELLED"
        } else if at < self.begins {
            "PENDING"
        } else if at < self.completes {
            "RUNNING"
        } else {
            "COMPLETED"
        }
    }

    fn is_open(&self, at: DateTime<Utc>) -> bool {
        matches!(self.status(at), "PENDING" | "RUNNING")
    }

    fn render(&self, at: DateTime<Utc>) -> Value {
        let status = self.status(at);
        let mut execution = json!({ "creationTime": self.created.timestamp_millis() });
        if status == "COMPLETED" {
            execution["completionTime"] = json!(self.completes.timestamp_millis());
        }
        let message = if status == "COMPLETED" { "Completed successfully" } else { "" };
        let mut shown = json!({
            "taskId": self.id,
            "logGroupName": self.group,
            "from": self.from,
            "to": self.to,
            "destination": self.bucket,
            "destinationPrefix": self.prefix,
            "status": { "code": status, "message": message },
            "executionInfo": execution,
        });
        if let Some(name) = &self.name {
            shown["taskName"] = json!(name);
        }
        shown
    }
}

/// `CreateExportTask`.
pub(super) fn create(turn: &mut Turn<'_>) -> Result<Value, ApiError> {
    let text = |field: &str| turn.input[field].as_str().filter(|text| !text.is_empty());
    let required = |field: &str| {
        text(field).map(str::to_owned).ok_or_else(|| invalid(format!("{field} is missing")))
    };
    let group = required("logGroupName")?;
    let bucket = required("destination")?;
    let time = |field: &str| {
        turn.input[field]
            .as_i64()
            .filter(|millis| *millis >= 0)
            .ok_or_else(|| invalid(format!("{field} must be milliseconds since 1970")))
    };
    let (from, to) = (time("from")?, time("to")?);
    let name = text("taskName").map(str::to_owned);
    let prefix = text("destinationPrefix").unwrap_or(USUAL_PREFIX).trim_matches('/').to_owned();
    if name.as_ref().is_some_and(|name| name.len() > 512) {
        return Err(invalid("taskName takes 512 characters"));
    }
    if from >= to {
        return Err(invalid("from must be before to"));
    }
    let known = turn.world.services.logs.groups.get(&turn.region);
    if known.is_none_or(|known| !known.contains(&group)) {
        let message = "The specified log group does not exist.";
        return Err(ApiError::sender("ResourceNotFoundException", message));
    }
    match turn.world.services.buckets.get(&bucket) {
        Some(found) if found.region == turn.region => {}
        Some(_) => return Err(invalid("Given bucket is in another region")),
        None => return Err(invalid("Given bucket does not exist")),
    }
    let exports = &turn.world.services.logs.exports;
    if exports.iter().any(|other| other.region == turn.region && other.is_open(turn.now)) {
        return Err(ApiError::sender("LimitExceededException", "Resource limit exceeded."));
    }
    // Of what is exported and not of when: two runs that did the same leave the same objects.
    let earlier = exports.iter().filter(|other| other.group == group && other.name == name);
    let known = (name.as_deref().unwrap_or_default(), earlier.count());
    let id = uuid(
        turn.world.seed(),
        &format!("logs/{}/{group}/export/{}/{}", turn.region, known.0, known.1),
    );
    let entity = format!("logs/{}/{id}", turn.region);
    let clockwork = turn.world.clockwork();
    let begins = turn.now + to_delta(clockwork.export_queue(&entity));
    let completes = begins + to_delta(clockwork.exporting(&entity));
    let (region, created) = (turn.region.clone(), turn.now);
    // AWS writes this object to see whether it may.
    let probe = format!("{prefix}/aws-logs-write-test");
    write(turn.world, &bucket, &probe, created, b"Permission Check Successful".to_vec());
    turn.changed(&group, format!("export to {bucket}/{prefix} asked for"));
    turn.world.services.logs.exports.push(Export {
        id: id.clone(),
        name,
        region,
        group,
        from,
        to,
        bucket,
        prefix,
        created,
        begins,
        completes,
        cancelled: None,
        written: false,
    });
    Ok(json!({ "taskId": id }))
}

/// `DescribeExportTasks`: all that there were, newest first.
pub(super) fn describe(turn: &Turn<'_>) -> Result<Value, ApiError> {
    let text = |field: &str| turn.input[field].as_str();
    let (id, status) = (text("taskId"), text("statusCode"));
    let all: Vec<Value> = turn
        .world
        .services
        .logs
        .exports
        .iter()
        .rev()
        .filter(|found| found.region == turn.region)
        .filter(|found| id.is_none_or(|id| found.id == id))
        .filter(|found| status.is_none_or(|status| found.status(turn.now) == status))
        .map(|found| found.render(turn.now))
        .collect();
    page(turn, "exportTasks", all)
}

/// `CancelExportTask`.
pub(super) fn cancel(turn: &mut Turn<'_>) -> Result<Value, ApiError> {
    let id = turn.input["taskId"].as_str().unwrap_or_default().to_owned();
    let (now, region) = (turn.now, turn.region.clone());
    let exports = &mut turn.world.services.logs.exports;
    let found = exports.iter_mut().find(|found| found.id == id && found.region == region);
    let found = found.ok_or_else(|| {
        ApiError::sender("ResourceNotFoundException", "The specified export task does not exist.")
    })?;
    if !found.is_open(now) {
        let message = "The specified export task has finished.";
        return Err(ApiError::sender("InvalidOperationException", message));
    }
    found.cancelled = Some(now);
    turn.changed(&id, "export cancelled");
    Ok(json!({}))
}

/// Puts what completed exports wrote into their buckets.
pub(in crate::sim) fn advance(world: &mut World, now: DateTime<Utc>) {
    let due = |found: &Export| !found.written && found.status(now) == "COMPLETED";
    let ready: Vec<Export> =
        world.services.logs.exports.iter().filter(|found| due(found)).cloned().collect();
    for found in ready {
        let key = format!("{}/{}/all/000000.gz", found.prefix, found.id);
        let at = |millis: i64| DateTime::from_timestamp_millis(millis).unwrap_or(found.created);
        // No log lines exist; the object says how many bytes there would be.
        let bytes = stored(world, &found.region, &found.group, at(found.to))
            - stored(world, &found.region, &found.group, at(found.from));
        let body =
            format!("{bytes} bytes of {} from {} to {}\n", found.group, found.from, found.to);
        write(world, &found.bucket, &key, found.completes, body.into_bytes());
        let exports = world.services.logs.exports.iter_mut();
        for export in exports.filter(|export| export.id == found.id) {
            export.written = true;
        }
    }
}

fn write(world: &mut World, bucket: &str, key: &str, at: DateTime<Utc>, body: Vec<u8>) {
    let Some(bucket) = world.services.buckets.get_mut(bucket) else { return };
    let content_type = "application/octet-stream".to_owned();
    bucket.insert(key, Version { content_type, ..Version::new(body, at) });
}
