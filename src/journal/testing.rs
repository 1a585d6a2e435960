//! Journals for tests, also of other modules: records at given offsets from a fixed start.
//!
//! **Invariant:** nothing here is used by a real run.

use crate::base::clock::simulated_epoch;
use crate::base::form::Form;
use crate::base::ids::{RunId, StepKey};
use crate::base::seed::Seed;
use crate::journal::chain;
use crate::journal::command::{Command, Person};
use crate::journal::event::{
    EVENT_VERSION, ErrorKind, ErrorRecord, Event, Evidence, Record, RunOutcome, SkipReason,
};
use crate::journal::figure::FigureRecord;
use crate::journal::question::{APPROVE, AnswerWay, Consequence, GateRecord, REJECT};
use crate::journal::store::StoredRecord;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Makes records one after the other. Offsets are milliseconds since the run began.
#[derive(Debug, Clone)]
pub struct JournalBuilder {
    start: DateTime<Utc>,
    fence: u64,
    records: Vec<Record>,
}

impl Default for JournalBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl JournalBuilder {
    /// An empty journal whose run begins at the simulated epoch.
    pub fn new() -> Self {
        Self { start: simulated_epoch(), fence: 1, records: Vec::new() }
    }

    /// A journal with `RunStarted` of a plan that has these steps, and `AttemptStarted`.
    pub fn started(steps: &[&str]) -> Self {
        Self::of_plan(plan_with(steps))
    }

    /// A journal with `RunStarted` of `plan`, and `AttemptStarted`.
    pub fn of_plan(plan: Json) -> Self {
        let run = plan["run"].as_str().and_then(RunId::parse).unwrap_or_else(run_id);
        Self::new()
            .event(
                0,
                Event::RunStarted {
                    run,
                    plan,
                    plan_digest: "sha256:0123456789abcdef".to_owned(),
                    operator: "alice".to_owned(),
                    tool: "drctl 0.1.0".to_owned(),
                    form: Form::default(),
                },
            )
            .event(0, Event::AttemptStarted { attempt: 1, operator: "alice".to_owned() })
    }

    /// Adds `event` at `offset_ms`.
    #[must_use]
    pub fn event(mut self, offset_ms: u64, event: Event) -> Self {
        self.push(offset_ms, event);
        self
    }

    /// Adds `event` at `offset_ms`.
    pub fn push(&mut self, offset_ms: u64, event: Event) {
        let millis = i64::try_from(offset_ms).unwrap_or(i64::MAX);
        self.records.push(Record {
            seq: self.records.len() as u64 + 1,
            version: EVENT_VERSION,
            at: self.start + TimeDelta::milliseconds(millis),
            run_ms: offset_ms,
            fence: self.fence,
            event,
        });
    }

    /// `StepStarted` without inputs.
    #[must_use]
    pub fn start(self, offset_ms: u64, step: &str) -> Self {
        self.event(offset_ms, Event::StepStarted { step: StepKey::new(step), inputs: json!({}) })
    }

    /// `IntentRecorded` for the first try.
    #[must_use]
    pub fn intent(self, offset_ms: u64, step: &str, operation: &str) -> Self {
        self.event(
            offset_ms,
            Event::IntentRecorded {
                step: StepKey::new(step),
                attempt: 1,
                operation: operation.to_owned(),
                target: "db".to_owned(),
            },
        )
    }

    /// `ActAccepted`.
    #[must_use]
    pub fn accepted(self, offset_ms: u64, step: &str) -> Self {
        self.event(offset_ms, Event::ActAccepted { step: StepKey::new(step), request_id: None })
    }

    /// `StepObserved`; an empty `milestone` is none.
    #[must_use]
    pub fn observed(self, offset_ms: u64, step: &str, state: &str, milestone: &str) -> Self {
        self.event(
            offset_ms,
            Event::StepObserved {
                step: StepKey::new(step),
                state: state.to_owned(),
                milestone: (!milestone.is_empty()).then(|| milestone.to_owned()),
                progress: None,
            },
        )
    }

    /// `StepSucceeded` with `outputs`.
    #[must_use]
    pub fn succeed(self, offset_ms: u64, step: &str, outputs: Json) -> Self {
        self.event(offset_ms, succeeded(step, outputs))
    }

    /// `StepStarted` and `StepSucceeded`.
    #[must_use]
    pub fn ran(self, from_ms: u64, to_ms: u64, step: &str, outputs: Json) -> Self {
        self.start(from_ms, step).succeed(to_ms, step, outputs)
    }

    /// `StepFailed` with `message`.
    #[must_use]
    pub fn fail(self, offset_ms: u64, step: &str, kind: ErrorKind, message: &str) -> Self {
        let (step, error) = (StepKey::new(step), error(kind, message));
        let outputs = Json::Null;
        self.event(offset_ms, Event::StepFailed { step, error, evidence: Vec::new(), outputs })
    }

    /// `StepSkipped`.
    #[must_use]
    pub fn skip(self, offset_ms: u64, step: &str, reason: SkipReason) -> Self {
        self.event(offset_ms, Event::StepSkipped { step: StepKey::new(step), reason })
    }

    /// `RunFinished`.
    #[must_use]
    pub fn finish(self, offset_ms: u64, outcome: RunOutcome) -> Self {
        self.event(offset_ms, Event::RunFinished { outcome })
    }

    /// The records.
    pub fn records(&self) -> Vec<Record> {
        self.records.clone()
    }

    /// The records in their stored form.
    pub fn stored(&self) -> Vec<StoredRecord> {
        store(&self.records)
    }
}

/// The stored form of `records`, which may have any fences.
pub fn store(records: &[Record]) -> Vec<StoredRecord> {
    let mut digest = chain::genesis().digest;
    let stored = records.iter().map(|record| {
        let bytes = serde_json::to_vec(record).expect("a record has string keys only");
        digest = chain::next_digest(&digest, &bytes);
        StoredRecord {
            seq: record.seq,
            kind: record.event.kind().to_owned(),
            version: record.version,
            bytes,
            digest: digest.clone(),
            record: Some(record.clone()),
        }
    });
    stored.collect()
}

/// The run of all these journals.
pub fn run_id() -> RunId {
    RunId::mint(simulated_epoch(), &mut Seed::new(1).stream("run"))
}

/// The least of a plan that the fold needs.
pub fn plan_with(steps: &[&str]) -> Json {
    let steps: Vec<Json> = steps.iter().map(|key| json!({ "key": key })).collect();
    json!({ "run": run_id().as_str(), "steps": steps })
}

/// A success with `outputs` and nothing else.
pub fn succeeded(step: &str, outputs: Json) -> Event {
    Event::StepSucceeded {
        step: StepKey::new(step),
        outputs,
        adopted: false,
        observed: BTreeMap::new(),
        evidence: Vec::new(),
        warnings: Vec::new(),
    }
}

/// An error without code or help.
pub fn error(kind: ErrorKind, message: &str) -> ErrorRecord {
    ErrorRecord { kind, message: message.to_owned(), code: None, help: None }
}

/// A piece of evidence.
pub fn evidence(name: &str, value: &str, source: &str) -> Evidence {
    Evidence { name: name.to_owned(), value: value.to_owned(), source: source.to_owned() }
}

/// A gate that asks "promote?" of bob until `until_ms`.
pub fn gate_asked(step: &str, until_ms: u64, on_timeout: Consequence) -> Event {
    let millis = i64::try_from(until_ms).unwrap_or(i64::MAX);
    Event::QuestionAsked {
        step: StepKey::new(step),
        question: "promote?".to_owned(),
        choices: vec![APPROVE.to_owned(), REJECT.to_owned()],
        error: None,
        gate: Some(GateRecord {
            approvers: vec!["bob".to_owned()],
            deadline: simulated_epoch() + TimeDelta::milliseconds(millis),
            on_timeout,
            approvals: 1,
        }),
        consequences: Vec::new(),
    }
}

/// Carol answers a gate at the terminal.
pub fn gate_answered(step: &str, answer: &str, comment: Option<&str>) -> Event {
    Event::QuestionAnswered {
        step: StepKey::new(step),
        answer: answer.to_owned(),
        operator: "carol".to_owned(),
        way: Some(AnswerWay::Terminal),
        comment: comment.map(str::to_owned),
        identity: None,
    }
}

/// One event of every kind about `step`.
pub fn every_event(step: &str) -> Vec<Event> {
    let key = || StepKey::new(step);
    let problem = || error(ErrorKind::Temporary, "throttled");
    let mut events = vec![
        Event::RunStarted {
            run: run_id(),
            plan: plan_with(&[step]),
            plan_digest: "sha256:0".to_owned(),
            operator: "alice".to_owned(),
            tool: "drctl 0.1.0".to_owned(),
            form: Form::Graceful,
        },
        Event::AttemptStarted { attempt: 1, operator: "alice".to_owned() },
        Event::StepStarted { step: key(), inputs: json!({}) },
        Event::IntentRecorded {
            step: key(),
            attempt: 1,
            operation: "rds:DeleteDBInstance".to_owned(),
            target: "db".to_owned(),
        },
        Event::ActAccepted { step: key(), request_id: None },
        Event::ActRefused { step: key(), error: problem() },
        Event::ActInDoubt { step: key(), error: problem() },
        Event::StepObserved {
            step: key(),
            state: "creating".to_owned(),
            milestone: None,
            progress: None,
        },
        Event::StepRetried { step: key(), error: problem(), delay_ms: 1_000 },
        succeeded(step, json!({})),
        Event::StepFailed {
            step: key(),
            error: problem(),
            evidence: Vec::new(),
            outputs: Json::Null,
        },
        Event::StepSkipped {
            step: key(),
            reason: SkipReason::Operator { operator: "alice".to_owned(), reason: None },
        },
        Event::UndoStarted { step: key() },
        Event::UndoSucceeded { step: key() },
        Event::UndoFailed { step: key(), error: problem() },
        Event::QuestionAsked {
            step: key(),
            question: "go on?".to_owned(),
            choices: vec!["retry".to_owned(), "abort".to_owned()],
            error: Some(problem()),
            gate: None,
            consequences: Vec::new(),
        },
        Event::QuestionAnswered {
            step: key(),
            answer: "retry".to_owned(),
            operator: "alice".to_owned(),
            way: Some(AnswerWay::Terminal),
            comment: None,
            identity: None,
        },
        Event::QuestionExpired { step: key() },
        Event::RunInterrupted { reason: "signal".to_owned() },
        Event::RunFinished { outcome: RunOutcome::Succeeded },
        Event::PredictionScored { held: 1, total: 1, wrong: Vec::new() },
    ];
    events.extend(every_control_event(&key()));
    events
}

/// One event of every kind by which people control a run.
fn every_control_event(step: &StepKey) -> Vec<Event> {
    let (by, step) = (bob(), || step.clone());
    let refused = Command::Retry { step: step() };
    vec![
        Event::QuestionClosed { step: step() },
        Event::AnswerRefused {
            step: step(),
            answer: APPROVE.to_owned(),
            by: by.clone(),
            why: "bob is no approver".to_owned(),
        },
        Event::ApprovalGiven {
            step: step(),
            by: by.clone(),
            way: AnswerWay::Command,
            comment: Some("agreed".to_owned()),
            figures: Vec::new(),
            acknowledged: None,
        },
        Event::FiguresShown {
            step: step(),
            figures: vec![FigureRecord::unknown("fencing", "TWO WRITERS POSSIBLE".to_owned())],
        },
        Event::ApprovalWithdrawn { step: step(), by: by.clone() },
        Event::CommandTaken {
            id: "01kf0e44m0zcmved8pcbds3f7h".to_owned(),
            posted_at: simulated_epoch(),
            by: by.clone(),
            command: Command::Pause { reason: None },
        },
        Event::CommandRefused {
            id: "01kf0gcnnbdrctz2xcs2qj6wtj".to_owned(),
            by: by.clone(),
            command: refused,
            why: "it has ended".to_owned(),
        },
        Event::RunPaused { by: by.clone(), reason: Some("lunch".to_owned()) },
        Event::RunContinued { by: by.clone() },
        Event::FormSwitched {
            from: Form::Graceful,
            to: Form::Ungraceful,
            by: by.clone(),
            reason: Some("the region is gone".to_owned()),
        },
        Event::AbortRequested { by: by.clone(), reason: None, undo: true },
        Event::PlanChanged {
            plan: plan_with(&[step().as_str()]),
            plan_digest: "sha256:fedcba9876543210".to_owned(),
            by: by.clone(),
            difference: vec!["~ step b: timeout 1h -> 2h".to_owned()],
        },
        Event::PlanKept { by, difference: vec!["+ step c (gate.approve)".to_owned()] },
    ]
}

/// Somebody of whom AWS says who they are.
pub fn bob() -> Person {
    let identity = Some("arn:aws:iam::111122223333:user/bob".to_owned());
    Person { operator: "bob".to_owned(), identity }
}

/// One command of every kind, about `step` where it is about one.
pub fn every_command(step: &str) -> Vec<Command> {
    let (step, why) = (|| StepKey::new(step), || Some("why".to_owned()));
    vec![
        Command::Approve {
            step: step(),
            comment: why(),
            acknowledge: Some("two-writers".to_owned()),
        },
        Command::Reject { step: step(), comment: None },
        Command::Withdraw { step: step(), comment: why() },
        Command::Answer { step: step(), answer: "retry".to_owned(), comment: None },
        Command::Pause { reason: why() },
        Command::Continue,
        Command::Skip { step: step(), reason: "done by hand".to_owned() },
        Command::Retry { step: step() },
        Command::Switch { to: Form::Ungraceful, reason: why() },
        Command::Abort { reason: why(), undo: true },
    ]
}
