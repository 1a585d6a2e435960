//! Puts the planned steps together: measurements, predictions, certificate.
//!
//! **Invariant:** a plan says nothing that planning did not find.

use super::build::{PlanRequest, PlanTools};
use super::call::calls;
use super::estimate::{Link, critical_path, known_time, recovery_time, waits_for_people};
use super::model::{
    Answer, Certificate, EnvironmentRecord, Estimate, GateKind, LossPrediction, Measure,
    ObjectivesRecord, PLAN_VERSION, Plan, PlannedStep, Prediction, RecoveryPointPrediction,
    RestorePrediction, Role, Source, WontReason,
};
use crate::action::Figure;
use crate::base::clock::parse_instant;
use crate::base::digest::Digest;
use crate::base::few::Few;
use crate::base::ids::StepKey;
use crate::base::value::Value;
use crate::cloud::{CallOutcome, Cloud, EffectOutcome, Effects};
use crate::estate::{Environment, EnvironmentKind};
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::time::Duration;

/// A plan is runnable for this long: facts move, and a plan is meant to be read and then run.
const PLAN_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// The plan of `steps`, which rests on `facts`.
pub(super) fn assemble(
    request: &PlanRequest<'_>,
    tools: PlanTools<'_>,
    (steps, figures): (Vec<PlannedStep>, &BTreeMap<StepKey, Vec<Figure>>),
    facts: BTreeMap<String, String>,
) -> Plan {
    let measure = &request.runbook.measure;
    let measure = Measure {
        recovered: keys(&measure.recovered, &steps),
        recovery_point: keys(&measure.recovery_point, &steps),
        restored: keys(&measure.restored, &steps),
    };
    let links: Vec<Link<'_>> = steps.iter().map(link).collect();
    let path = critical_path(&links);
    let prediction = Prediction {
        recovery_time: recovery_time(&links, &measure.recovered),
        known_time: known_time(&links, &measure.recovered),
        losses: losses(&steps, figures),
        waits_for_people: waits_for_people(&links, &measure.recovered),
        recovery_point: recovery_point(&steps, &measure, request),
        critical_path: path,
    };
    Plan {
        schema_version: PLAN_VERSION,
        run: request.run.clone(),
        created_at: request.now,
        expires_at: request.now + PLAN_LIFETIME,
        title: request.runbook.title.clone(),
        mode: request.mode.clone(),
        form: request.form,
        runbook: source(&request.runbook.file, &request.runbook.text),
        called: request
            .runbook
            .called
            .iter()
            .map(|(name, it)| (name.clone(), source(&it.file, &it.text)))
            .collect(),
        calls: calls(request.runbook),
        estate: source(&request.estate.file, &request.estate.text),
        estate_name: request.estate.name.clone(),
        environment: environment_record(request.environment, tools.cloud, request.faults.clone()),
        parameters: request
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), value.to_json()))
            .collect(),
        objectives: ObjectivesRecord {
            recovery_time_ms: request.objectives.recovery_time.map(millis),
            recovery_point_ms: request.objectives.recovery_point.map(millis),
        },
        disaster_at: request.disaster_at,
        declared_at: request.declared_at,
        detection: request.detection.clone(),
        notify: request.notify.clone(),
        measure,
        steps,
        facts,
        prediction,
        certificate: certificate(tools.cloud, tools.effects),
    }
}

/// How long a step takes that its condition leaves out.
static LEFT_OUT: Estimate = Estimate::History { median_ms: 0, longest_ms: 0, runs: u32::MAX };

fn link(step: &PlannedStep) -> Link<'_> {
    let (key, needs) = (&step.key, step.needs.as_slice());
    if let Answer::Wont { because: WontReason::Condition, .. } = step.preview.answer {
        return Link { key, needs, estimate: &LEFT_OUT, person: false };
    }
    let person = step.gate == Some(GateKind::Person);
    Link { key, needs, estimate: &step.preview.estimate, person }
}

/// What the promotions that will happen lose, as it was read when they were planned.
fn losses(steps: &[PlannedStep], figures: &BTreeMap<StepKey, Vec<Figure>>) -> Vec<LossPrediction> {
    let promotions = steps.iter().filter(|step| step.role == Role::Promotion);
    let read = promotions.filter_map(|step| Some((&step.key, figures.get(&step.key)?)));
    // What has neither a time nor is unknown says what the form does, and is no figure of a loss.
    let is_lag = |figure: &&Figure| figure.time.is_some() || !figure.known;
    let lag = read.flat_map(|(step, figures)| {
        figures.iter().filter(is_lag).map(move |figure| (step, figure))
    });
    lag.map(|(step, figure)| LossPrediction {
        step: step.clone(),
        lag_ms: figure.time.filter(|_| figure.known).map(millis),
        text: figure.text.clone(),
    })
    .collect()
}

fn source(file: &str, text: &str) -> Source {
    Source {
        file: file.to_owned(),
        text: text.to_owned(),
        digest: Digest::of(text.as_bytes()).to_string(),
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The keys of the steps with these ids: of an expanded one all that it was expanded to. What was
/// expanded to nothing keeps its id: it cannot be measured then, and that must show.
fn keys(ids: &[String], steps: &[PlannedStep]) -> Few<StepKey> {
    let keys = ids.iter().flat_map(|id| {
        let all = steps.iter().map(|step| &step.key).filter(|key| key.id() == id);
        let all: Vec<StepKey> = all.cloned().collect();
        if all.is_empty() { vec![StepKey::new(id)] } else { all }
    });
    keys.collect()
}

/// The worst of what the restoring steps lose.
fn recovery_point(
    steps: &[PlannedStep],
    measure: &Measure,
    request: &PlanRequest<'_>,
) -> RecoveryPointPrediction {
    let planned = |key: &StepKey| steps.iter().find(|step| step.key == *key);
    let each: Vec<RestorePrediction> = measure
        .restored
        .iter()
        .map(|key| RestorePrediction { step: key.clone(), point: point_of(planned(key), request) })
        .collect();
    let worst = each.iter().max_by_key(|one| (one.point.loss_ms.is_none(), one.point.loss_ms));
    let worst = worst.map_or_else(|| point_of(None, request), |one| one.point.clone());
    RecoveryPointPrediction { each: if each.len() > 1 { each } else { Vec::new() }, ..worst }
}

fn point_of(restored: Option<&PlannedStep>, request: &PlanRequest<'_>) -> RecoveryPointPrediction {
    let PlanRequest { parameters, disaster_at, now, .. } = request;
    let (disaster_at, now) = (*disaster_at, *now);
    let restore_time = restored
        .and_then(|step| step.preview.outputs.get("restore_time"))
        .and_then(serde_json::Value::as_str)
        .and_then(parse_instant);
    // `latest` and the newest snapshot ask for no instant: what they lose is what was written since,
    // until the run began. A snapshot that was chosen asks for its own.
    let chosen = restored
        .and_then(|step| step.preview.outputs.get("chosen"))
        .is_some_and(|chosen| *chosen == serde_json::Value::Bool(true));
    let asked = restore_time.filter(|time| {
        chosen
            || parameters.values().any(|value| match value {
                Value::Time(asked) => asked == time,
                Value::String(text) => parse_instant(text).as_ref() == Some(time),
                _ => false,
            })
    });
    let (target, target_at) = match (disaster_at, asked) {
        (Some(at), _) => ("disaster_at", at),
        (None, Some(at)) => ("restore_time", at),
        (None, None) => ("run_start", now),
    };
    let target_at = Some(target_at);
    let loss = target_at
        .zip(restore_time)
        .map(|(target, restored)| (target - restored).num_milliseconds());
    RecoveryPointPrediction {
        target_at,
        target: target.to_owned(),
        restore_time,
        loss_ms: loss.map(|loss| u64::try_from(loss).unwrap_or(0)),
        each: Vec::new(),
    }
}

/// Where a session works, as plans and sweeps record it.
pub fn environment_record(
    environment: &Environment,
    cloud: &Cloud,
    faults: Vec<String>,
) -> EnvironmentRecord {
    EnvironmentRecord {
        name: environment.name.clone(),
        account: environment.account.clone(),
        region: environment.region.clone(),
        simulated: environment.is_simulated(),
        emulated: matches!(environment.kind, EnvironmentKind::Endpoints(_)),
        protected: environment.protected,
        server: cloud.server(),
        faults,
    }
}

/// What a session that cannot write asked, what was refused to it, and which walls stood.
pub fn certificate(cloud: &Cloud, effects: &Effects) -> Certificate {
    let mut walls = cloud.walls();
    walls.extend(effects.wall());
    let mut certificate = Certificate { walls, ..Certificate::default() };
    for call in cloud.calls().records() {
        let name = format!("{} {}", call.operation, call.region);
        if matches!(call.outcome, CallOutcome::Refused(_)) {
            certificate.refused.push(name);
        } else {
            *certificate.calls.entry(name).or_default() += call.attempts;
        }
    }
    for (operation, region, count) in cloud.calls().earlier() {
        *certificate.calls.entry(format!("{operation} {region}")).or_default() += count;
    }
    for record in effects.log() {
        let name = format!("{} {}", record.name, record.effect);
        if record.outcome == EffectOutcome::Refused {
            certificate.refused.push(name);
        } else {
            *certificate.calls.entry(name).or_default() += 1;
        }
    }
    certificate
}
