//! People who command without looking, and people who at last answer what is asked.

use super::*;
use crate::journal::Person;
use crate::journal::fold::{APPROVE, REJECT};

fn post(random: &mut fastrand::Rng, command: Command, now: DateTime<Utc>) -> Posted {
    let by = ["ann", "bob", "eve"][random.usize(0..3)];
    Posted::new(command, Person::declared(by), now, random)
}

/// Any command about any step, also one that is not there; about a step that asks more often.
pub(super) fn command(
    random: &mut fastrand::Rng,
    plan: &Plan,
    state: &RunState,
    now: DateTime<Utc>,
) -> Posted {
    let asking: Vec<&StepKey> = state.questions().map(|(step, _)| step).collect();
    let mut steps: Vec<StepKey> = plan.steps.iter().map(|step| step.key.clone()).collect();
    steps.push(StepKey::new("nowhere"));
    let step = match asking.len() {
        0 => steps[random.usize(0..steps.len())].clone(),
        many if random.u32(0..4) > 0 => asking[random.usize(0..many)].clone(),
        _ => steps[random.usize(0..steps.len())].clone(),
    };
    let answers = ["retry", "continue", "skip", "stop", "undo", "approve", "reject", "nonsense"];
    let command = match random.u32(0..14) {
        0 | 1 => Command::Approve { step, comment: None, acknowledge: None },
        2 if random.u32(0..3) == 0 => Command::Reject { step, comment: None },
        2..=5 => Command::Withdraw { step, comment: None },
        6 | 7 => {
            let answer = answers[random.usize(0..answers.len())].to_owned();
            Command::Answer { step, answer, comment: None }
        }
        8 => Command::Pause { reason: None },
        9 | 10 => Command::Continue,
        11 => Command::Skip { step, reason: "why not".to_owned() },
        12 => Command::Retry { step },
        _ if random.u32(0..4) > 0 => Command::Continue,
        _ => Command::Abort { reason: None, undo: random.bool() },
    };
    post(random, command, now)
}

/// What ends every waiting: the pause ends, and open questions get answers by enough people.
pub(super) fn answer_everything(
    random: &mut fastrand::Rng,
    state: &RunState,
    now: DateTime<Utc>,
) -> Vec<Posted> {
    let mut commands = Vec::new();
    if state.paused.is_some() {
        commands.push(Command::Continue);
    }
    for (step, question) in state.questions() {
        let step = step.clone();
        let answer = match &question.gate {
            Some(_) if random.bool() => APPROVE,
            Some(_) => REJECT,
            None => question.choices.last().expect("it takes an answer"),
        };
        commands.push(Command::Answer { step, answer: answer.to_owned(), comment: None });
    }
    commands.into_iter().map(|command| post(random, command, now)).collect()
}
