//! Plans and journals for the tests of reports. **Invariant:** a fresh plan promises fifteen minutes
//! and one, in the simulator.

use crate::base::clock::simulated_epoch;
use crate::base::form::Form;
use crate::base::ids::StepKey;
use crate::journal::event::{Event, RunOutcome};
use crate::journal::testing::{JournalBuilder, evidence, run_id};
use crate::plan::model::Role;
use crate::plan::model::{
    Answer, EnvironmentRecord, Estimate, Measure, ObjectivesRecord, OnFailure, PLAN_VERSION, Phase,
    Plan, PlannedStep, Prediction, RecoveryPointPrediction, Retry, RunMode, Source, StepPreview,
};
use crate::report::{Report, build};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::BTreeMap;

/// The run's start plus (or minus) seconds.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    simulated_epoch() + TimeDelta::seconds(seconds)
}

fn source(file: &str) -> Source {
    Source { file: file.into(), text: String::new(), digest: "sha256:0".into() }
}

pub(crate) fn step(key: &str, uses: &str, phase: Phase) -> PlannedStep {
    PlannedStep {
        key: StepKey::new(key),
        title: format!("Step {key}"),
        uses: uses.into(),
        with: json!({}),
        each: None,
        needs: Vec::new(),
        children: Vec::new(),
        when: None,
        region: "eu-central-1".into(),
        account: None,
        phase,
        timeout_ms: 1_000,
        poll_ms: 1_000,
        retry: Retry { attempts: 1, backoff_ms: 1 },
        on_failure: OnFailure::Stop,
        always: phase == Phase::Cleanup,
        idempotent: false,
        irreversible: false,
        check: uses.contains("check") || uses.contains("heartbeat"),
        trace: crate::plan::model::Trace::Seen,
        gate: None,
        undo: match uses {
            "rds.create_snapshot" => Some("rds.delete_snapshot".into()),
            uses if uses.starts_with("rds.restore") => Some("rds.delete_instance".into()),
            _ => None,
        },
        calls: Vec::new(),
        role: Role::None,
        before: Vec::new(),
        attests: false,
        by_form: false,
        undo_takes: None,
        preview: StepPreview {
            answer: Answer::Will,
            summary: String::new(),
            details: Vec::new(),
            warnings: Vec::new(),
            predictions: BTreeMap::new(),
            outputs: BTreeMap::new(),
            estimate: Estimate::Unknown { why: "no history".into() },
            other_form: None,
        },
    }
}

/// A drill: check the source, restore, look at the heartbeat and the rows, delete.
pub(crate) fn plan() -> Plan {
    Plan {
        schema_version: PLAN_VERSION,
        run: run_id(),
        created_at: at(-60),
        expires_at: at(3_600),
        title: "Restore the orders database".into(),
        mode: RunMode::Drill { name: "restore-db".into(), keep: false },
        form: Form::Graceful,
        runbook: source("restore-db.yaml"),
        called: BTreeMap::new(),
        calls: BTreeMap::new(),
        estate: source("techcorp.yaml"),
        estate_name: "techcorp".into(),
        environment: EnvironmentRecord {
            name: "sim".into(),
            account: "123456789012".into(),
            region: "eu-central-1".into(),
            simulated: true,
            emulated: false,
            protected: false,
            server: "drctl simulator (seed 1)".into(),
            faults: Vec::new(),
        },
        parameters: BTreeMap::new(),
        objectives: ObjectivesRecord {
            recovery_time_ms: Some(900_000),
            recovery_point_ms: Some(60_000),
        },
        disaster_at: None,
        declared_at: None,
        detection: None,
        notify: None,
        measure: Measure {
            recovered: [StepKey::new("verify")].into(),
            recovery_point: [StepKey::new("heartbeat")].into(),
            restored: [StepKey::new("restore")].into(),
        },
        steps: vec![
            step("source", "rds.check_source", Phase::Decide),
            step("restore", "rds.restore_to_point_in_time", Phase::Provision),
            step("heartbeat", "sql.heartbeat", Phase::Verify),
            step("verify", "sql.check", Phase::Verify),
            step("delete", "rds.delete_instance", Phase::Cleanup),
        ],
        facts: BTreeMap::new(),
        prediction: Prediction {
            critical_path: Vec::new(),
            recovery_time: Estimate::Unknown { why: "no history".into() },
            known_time: None,
            losses: Vec::new(),
            waits_for_people: Vec::new(),
            recovery_point: RecoveryPointPrediction {
                target_at: None,
                target: "run_start".into(),
                restore_time: None,
                loss_ms: None,
                each: Vec::new(),
            },
        },
        certificate: crate::plan::model::Certificate::default(),
    }
}

/// The journal of `plan` so far.
pub(crate) fn journal(plan: &Plan) -> JournalBuilder {
    JournalBuilder::of_plan(serde_json::to_value(plan).unwrap())
}

/// The outputs of the restoring step.
pub(crate) fn restored() -> serde_json::Value {
    json!({
        "instance": "drctl-orders-db",
        "endpoint_host": "drctl-orders-db.example",
        "endpoint_port": 5432,
        "restore_time": "2026-01-15T08:59:40Z",
    })
}

/// Source checked and instance restored: 605 s have passed.
pub(crate) fn until_restored(plan: &Plan) -> JournalBuilder {
    journal(plan)
        .ran(0, 4_000, "source", json!({}))
        .start(4_000, "restore")
        .intent(5_000, "restore", "rds:RestoreDBInstanceToPointInTime")
        .accepted(6_000, "restore")
        .observed(10_000, "restore", "creating", "")
        .observed(600_000, "restore", "available", "available")
        .succeed(605_000, "restore", restored())
}

/// The heartbeat's outputs: newest 30 s before the run.
pub(crate) fn heartbeat() -> Event {
    Event::StepSucceeded {
        step: StepKey::new("heartbeat"),
        outputs: json!({ "newest_at": "2026-01-15T08:59:30Z" }),
        adopted: false,
        observed: BTreeMap::new(),
        evidence: vec![evidence("heartbeat.newest_at", "2026-01-15T08:59:30Z", "SQL")],
        warnings: Vec::new(),
    }
}

/// Recovered after 640 s.
pub(crate) fn until_verified(plan: &Plan) -> JournalBuilder {
    until_restored(plan)
        .start(606_000, "heartbeat")
        .event(610_000, heartbeat())
        .start(610_000, "verify")
        .succeed(640_000, "verify", json!({}))
}

/// A drill in which everything went well.
pub(crate) fn whole(plan: &Plan) -> JournalBuilder {
    until_verified(plan)
        .start(640_000, "delete")
        .intent(641_000, "delete", "rds:DeleteDBInstance")
        .accepted(642_000, "delete")
        .succeed(700_000, "delete", json!({}))
        .event(700_000, Event::PredictionScored { held: 7, total: 7, wrong: Vec::new() })
        .finish(700_000, RunOutcome::Succeeded)
}

pub(crate) fn report(journal: &JournalBuilder) -> Report {
    build(&journal.stored()).unwrap()
}
