//! Who opens a gate without being asked.

use super::*;
use crate::journal::fold::Consequence;
use crate::journal::fold::RunState;
use crate::journal::testing::{JournalBuilder, every_event, gate_asked};
use crate::report::testing::plan;

fn environment(protected: bool) -> Environment {
    let text = include_str!("../../../localstack/estates/techcorp.yaml");
    let estate = crate::estate::load("techcorp", text).expect("a valid estate");
    Environment { protected, ..estate.environments["sim"].clone() }
}

fn question(event: crate::journal::event::Event) -> Question {
    let journal = JournalBuilder::started(&["a"]).start(1, "a").event(2, event);
    let state = RunState::fold(&journal.records()).expect("a legal journal");
    state.steps[&StepKey::new("a")].question.clone().expect("it was asked")
}

fn asked(
    yes: bool,
    of: &Environment,
    given: Option<GivenAnswer>,
    question: &Question,
) -> Option<Reply> {
    let people = People::new(&plan(), of, yes, given);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(people.ask(&StepKey::new("a"), question))
}

#[test]
fn yes_opens_gates_where_nothing_is_protected_and_answers_nothing_else() {
    let gate = question(gate_asked("a", 60_000, Consequence::Fail));
    let yes = asked(true, &environment(false), None, &gate).expect("an answer");
    assert_eq!((yes.answer.as_str(), yes.way), (APPROVE, AnswerWay::Yes));
    assert_eq!(asked(true, &environment(true), None, &gate), None, "a protected environment");
    assert_eq!(asked(false, &environment(false), None, &gate), None);
    let failure = every_event("a").into_iter().find(|event| event.kind() == "question_asked");
    let failure = question(failure.expect("a question"));
    assert_eq!(asked(true, &environment(false), None, &failure), None, "a failure is no gate");
}

#[test]
fn an_answer_of_the_command_line_is_for_its_step_and_its_words() {
    let gate = question(gate_asked("a", 60_000, Consequence::Fail));
    let given = |step: &str, answer: &str| {
        let (step, answer) = (StepKey::new(step), answer.to_owned());
        Some(GivenAnswer { step, answer, comment: Some("because".to_owned()) })
    };
    // Also where everything is protected: it names the run and the answer.
    let reply = asked(false, &environment(true), given("a", "reject"), &gate).expect("an answer");
    assert_eq!((reply.answer.as_str(), reply.way), ("reject", AnswerWay::Resume));
    assert_eq!(reply.comment.as_deref(), Some("because"));
    assert_eq!(asked(false, &environment(false), given("b", "reject"), &gate), None);
    assert_eq!(asked(false, &environment(false), given("a", "retry"), &gate), None);
}
