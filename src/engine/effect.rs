//! What goes into the machine and what comes out of it.
//!
//! **Invariant:** both vocabularies are closed.

use crate::base::ids::StepKey;
use crate::journal::event::{ErrorRecord, Evidence, Record};
use crate::journal::figure::FigureRecord;
use crate::journal::fold::{AnswerWay, Consequence, Question};
use crate::journal::{Person, Posted};
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Which half of a step an effect belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The step itself.
    Forward,
    /// Its undo.
    Undo,
}

/// Work for the runner.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a turn has few effects, and questions are rare")]
pub enum Effect {
    /// Evaluate the step's condition and inputs.
    Begin {
        /// The step.
        step: StepKey,
        /// The step or its undo.
        part: Part,
    },
    /// Look, after a delay.
    Observe {
        /// The step.
        step: StepKey,
        /// The step or its undo.
        part: Part,
        /// How long to wait first.
        delay: Duration,
    },
    /// Act. The intent is in this turn's records, which must be durable first.
    Act {
        /// The step.
        step: StepKey,
        /// The step or its undo.
        part: Part,
    },
    /// Read what is at stake behind a gate, and say it before it asks.
    Weigh {
        /// The gate.
        step: StepKey,
    },
    /// Ask a person.
    Ask {
        /// The step.
        step: StepKey,
        /// The question.
        question: Question,
    },
    /// Nobody here can answer the step's question, but somebody elsewhere may: report when its time is
    /// over, if that has an end.
    Await {
        /// The step.
        step: StepKey,
        /// When its time is over.
        until: Option<DateTime<Utc>>,
    },
    /// What is in flight for the step must not be reported any more: it is begun anew, or needless. It is
    /// never an act.
    Forget {
        /// The step.
        step: StepKey,
    },
    /// Stop: the run ended, or was interrupted in good order.
    Halt,
}

/// What the runner reports.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The answer to [`Effect::Begin`].
    Begun {
        /// The step.
        step: StepKey,
        /// What was found.
        begun: Begun,
    },
    /// The answer to [`Effect::Observe`].
    Observed {
        /// The step.
        step: StepKey,
        /// What was seen, or why nothing was.
        seen: Result<Seen, ErrorRecord>,
    },
    /// The answer to [`Effect::Act`].
    Acted {
        /// The step.
        step: StepKey,
        /// AWS's request id, or what went wrong.
        result: Result<Option<String>, ActFailure>,
        /// What came of it, for steps of which nothing can be looked at.
        done: Option<Box<SeenDone>>,
    },
    /// The answer to [`Effect::Weigh`]; also unasked, when it was read again while the gate waits, and
    /// right before an approval.
    Weighed {
        /// The gate.
        step: StepKey,
        /// What the steps behind it say; what nobody could read is an unknown figure.
        figures: Vec<FigureRecord>,
    },
    /// The answer to [`Effect::Ask`].
    Answered {
        /// The step.
        step: StepKey,
        /// The answer.
        reply: Reply,
        /// Who.
        by: Person,
    },
    /// Nobody answered [`Effect::Ask`] or [`Effect::Await`]: nobody can be asked now, or the question's
    /// time is over.
    NobodyAnswered {
        /// The step.
        step: StepKey,
    },
    /// A command lies in the inbox. One that was used already is nothing.
    Command(Posted),
    /// Stop in good order: `signal`.
    Interrupt {
        /// Why.
        reason: String,
    },
}

/// What a person answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// One of the choices.
    pub answer: String,
    /// How it came.
    pub way: AnswerWay,
    /// What they added, redacted.
    pub comment: Option<String>,
    /// The danger that they acknowledged with it.
    pub acknowledged: Option<String>,
}

/// Condition and inputs of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// It runs.
    Run {
        /// Its inputs for the journal, secrets hidden.
        inputs: Json,
        /// The operation that acting calls, and on what.
        intent: (String, String),
    },
    /// Its condition is false.
    Skip {
        /// The condition.
        when: String,
    },
    /// There is nothing it could work on, because a step that it needs never got that far.
    Nothing {
        /// Why.
        because: String,
    },
    /// Condition or inputs cannot be evaluated.
    Failed(ErrorRecord),
}

/// How things are.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// Not there, nothing under way.
    Absent,
    /// Under way.
    InProgress {
        /// The state in words.
        state: String,
        /// A point worth measuring that was reached.
        milestone: Option<String>,
    },
    /// Part of the goal is reached, and looking tells exactly what is left: act for the next part.
    Partly {
        /// How far it is, in words.
        state: String,
        /// How far it is, for whoever takes the step up.
        progress: Json,
    },
    /// A gate that a person opens.
    Gate(SeenGate),
    /// A gate that an instant opens.
    Waiting {
        /// The instant.
        until: DateTime<Utc>,
    },
    /// The goal is reached, or a check has a verdict.
    Done(Box<SeenDone>),
    /// It never will be.
    Broken(ErrorRecord),
}

/// What a gate asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenGate {
    /// What is decided.
    pub message: String,
    /// Who may decide; nobody named is anybody.
    pub approvers: Vec<String>,
    /// How many different people have to approve, from 1.
    pub approvals: u32,
    /// What happens when nobody decides in time.
    pub on_timeout: Consequence,
}

/// A goal that is reached, or a verdict.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeenDone {
    /// Outputs, secrets hidden.
    pub outputs: Json,
    /// A point worth measuring that was reached.
    pub milestone: Option<String>,
    /// What was seen, by the names that were predicted.
    pub observed: BTreeMap<String, Json>,
    /// What the verdict rests on.
    pub evidence: Vec<Evidence>,
    /// Reasons for a warning.
    pub warnings: Vec<String>,
    /// The check failed.
    pub failed: Option<ErrorRecord>,
}

/// Why acting went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActFailure {
    /// It had no effect.
    Refused(ErrorRecord),
    /// It may have had its effect.
    InDoubt(ErrorRecord),
}

/// One turn: what to make durable, and then what to do.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Turn {
    /// Records to append in one transaction before any effect is performed.
    pub records: Vec<Record>,
    /// Effects in order.
    pub effects: Vec<Effect>,
}
