//! What runbook and drill files look like.
//!
//! **Invariant:** the readers of both read exactly these fields.

use crate::base::form::Form;
use crate::base::shape::{FieldShape, Is, Shape};
use crate::estate::{API_VERSION, OBJECTIVES_FIELD};
use crate::runbook::document::{DOCUMENT_NAME, ID};
use crate::runbook::model::{OnFailure, ParameterKind, Phase};
use crate::runbook::steps::MAX_ATTEMPTS;

/// A runbook file.
pub(crate) static RUNBOOK: Shape = Shape {
    summary: "A graph of steps that recovers something, with what it needs and how it is measured.",
    fields: &[
        API_VERSION,
        FieldShape::required("kind", Is::Exactly("Runbook"), "What the file is."),
        FieldShape::required("name", Is::Matching(DOCUMENT_NAME), "Its name: the file's, too."),
        FieldShape::optional("title", Is::Text, "One line for people; else the name."),
        FieldShape::optional("description", Is::Text, "What it is for."),
        FieldShape::optional("prerequisites", Is::Text, "What must be true before."),
        FieldShape::optional("verification", Is::Text, "How to see that it worked."),
        FieldShape::optional("rollback", Is::Text, "How to go back."),
        FieldShape::optional("escalation", Is::Text, "Whom to call."),
        FieldShape::optional(
            "parameters",
            Is::Map(ID, &Is::Record(&PARAMETER)),
            "What may differ from run to run; expressions say `params.NAME`.",
        ),
        OBJECTIVES_FIELD,
        FieldShape::optional(
            "form",
            Is::Words(|| words(&Form::NAMES)),
            "`graceful` (the usual) waits until nothing is lost, `ungraceful` accepts a loss.",
        ),
        FieldShape::optional(
            "assumes_lost",
            Is::Template,
            "The region that is taken for lost: a shared journal is not kept there. May use `params`.",
        ),
        NOTIFY_FIELD,
        FieldShape::optional("measure", Is::Record(&MEASURE), "Where figures come from."),
        FieldShape::optional(
            "outputs",
            Is::Map(ID, &Is::Anything),
            "What it gives to a runbook that calls it (`runbook.call`).",
        ),
        FieldShape::required("steps", Is::List(1, &Is::Record(&STEP)), "The steps."),
    ],
    cases: None,
};

/// A parameter of a runbook.
pub(crate) static PARAMETER: Shape = Shape {
    summary: "A parameter. Without a default it must be given, unless it says `required: false`.",
    fields: &[
        FieldShape::required("type", Is::Words(|| words(&ParameterKind::NAMES)), "Its type."),
        FieldShape::optional("default", Is::Anything, "Its value when none is given."),
        FieldShape::optional("choices", Is::List(0, &Is::Anything), "The only values it may have."),
        FieldShape::optional("required", Is::Bool, "`false`: it may be absent, and is null then."),
        FieldShape::optional("description", Is::Text, "One sentence for people."),
    ],
    cases: None,
};

/// Which steps measurements are taken from.
pub(crate) static MEASURE: Shape = Shape {
    summary: "Which steps measurements are taken from: an id, or a list of ids.",
    fields: &[
        FieldShape::optional(
            "recovered",
            Is::TextOrTexts,
            "Recovered when this step, the last of these steps, succeeded.",
        ),
        FieldShape::optional(
            "recovery_point",
            Is::TextOrTexts,
            "Its output `newest_at` or `recovery_point` proves the recovery point; of several the worst \
             counts.",
        ),
        FieldShape::optional(
            "restored",
            Is::TextOrTexts,
            "Its input or output `restore_time` is the instant that was restored to.",
        ),
    ],
    cases: None,
};

/// A step of a runbook.
pub(crate) static STEP: Shape = Shape {
    summary: "A step: one use of an action.",
    fields: &[
        FieldShape::required("id", Is::Matching(ID), "Its id, stable for ever."),
        FieldShape::optional("title", Is::Text, "Title for people; else the id."),
        FieldShape::required("uses", Is::Text, "The action."),
        FieldShape::optional("with", Is::Inputs, "Inputs of the action."),
        FieldShape::optional(
            "needs",
            Is::List(0, &Is::Text),
            "Steps that must have succeeded; for an `always` step: have ended.",
        ),
        FieldShape::optional(
            "when",
            Is::Condition,
            "Condition, an expression without `${{ }}`; in quotes when it begins with `!`.",
        ),
        FieldShape::optional("region", Is::Template, "Region it acts in; else the environment's."),
        FieldShape::optional(
            "for_each",
            Is::Items,
            "One step an item; `each` is the item. Known when the plan is made.",
        ),
        FieldShape::optional(
            "phase",
            Is::Words(|| words(&Phase::NAMES)),
            "Where its time goes; else `cleanup` for `always`, `verify` for a check, `provision`.",
        ),
        FieldShape::optional("timeout", Is::SomeTime, "Time-out; else the action's own."),
        FieldShape::optional("retry", Is::Record(&RETRY), "How often it is tried."),
        FieldShape::optional(
            "on_failure",
            Is::Words(|| words(&OnFailure::NAMES)),
            "What happens when it fails.",
        )
        .or("stop"),
        FieldShape::optional("always", Is::Bool, "Runs whatever happened before.").or("false"),
        FieldShape::optional("idempotent", Is::Bool, "May be repeated when in doubt.").or("false"),
        FieldShape::optional("irreversible", Is::Bool, "Says: it is meant for good.").or("false"),
        FieldShape::optional("gate", Is::NotYet, "This version cannot execute it."),
        FieldShape::optional("undo", Is::NotYet, "This version cannot execute it."),
        FieldShape::optional(
            "account",
            Is::Matching(ID),
            "An account of the environment's `accounts`; else the environment's own.",
        ),
    ],
    cases: None,
};

/// Whom a run tells how it goes.
pub(crate) static NOTIFY: Shape = Shape {
    summary: "An SNS topic that is told how a run goes, best effort.",
    fields: &[
        FieldShape::required("topic", Is::Text, "Name or ARN of the topic; FIFO topics too."),
        FieldShape::optional("region", Is::Text, "Region of a topic given by name."),
        FieldShape::optional(
            "on",
            Is::Texts,
            "What it is told: `started`, `waiting`, `failed`, `finished`; all when absent.",
        ),
    ],
    cases: None,
};

const NOTIFY_FIELD: FieldShape = FieldShape::optional(
    "notify",
    Is::Record(&NOTIFY),
    "Whom a run tells how it goes; `--notify` wins, then the drill's, then the runbook's.",
);

/// How often a step is tried.
pub(crate) static RETRY: Shape = Shape {
    summary: "How often a failing step is tried, and how far apart.",
    fields: &[
        FieldShape::required("attempts", Is::Int(1, MAX_ATTEMPTS as i64), "Most tries."),
        FieldShape::optional("backoff", Is::Duration, "First delay; it doubles up to a minute.")
            .or("2s"),
    ],
    cases: None,
};

/// A drill file.
pub(crate) static DRILL: Shape = Shape {
    summary: "A rehearsal: a runbook in an environment, with values, promises and a schedule.",
    fields: &[
        API_VERSION,
        FieldShape::required("kind", Is::Exactly("Drill"), "What the file is."),
        FieldShape::required("name", Is::Matching(DOCUMENT_NAME), "Its name: the file's, too."),
        FieldShape::optional(
            "scenario",
            Is::Text,
            "What happens, one line: its title in the table of `drctl drill all`; else the name.",
        ),
        FieldShape::optional("description", Is::Text, "What it is for."),
        FieldShape::required("runbook", Is::Matching(DOCUMENT_NAME), "Name of the runbook."),
        FieldShape::required("estate", Is::Text, "Name of the estate."),
        FieldShape::optional("environment", Is::Text, "Environment of the estate.").or("sim"),
        FieldShape::optional("faults", Is::Texts, "Faults that are switched on for it."),
        FieldShape::optional(
            "parameters",
            Is::Map(ID, &Is::Anything),
            "Values of the runbook's parameters.",
        ),
        OBJECTIVES_FIELD,
        FieldShape::optional(
            "form",
            Is::Words(|| words(&Form::NAMES)),
            "The form of its runs; else the runbook's.",
        ),
        NOTIFY_FIELD,
        FieldShape::optional(
            "alarm",
            Is::Text,
            "The estate's alarm that it begins with: raised in the simulator, read elsewhere.",
        ),
        FieldShape::optional(
            "schedule",
            Is::Matching(r"^\s*([0-9*,/-]+\s+){4}[0-9*,/-]+\s*$"),
            "Minute, hour, day of the month, month, day of the week, in UTC.",
        ),
    ],
    cases: None,
};

fn words<T>(names: &[(&'static str, T)]) -> Vec<&'static str> {
    names.iter().map(|(word, _)| *word).collect()
}
