//! Who opens a gate without being asked.

use super::*;
use crate::journal::fold::Consequence;
use crate::journal::fold::RunState;
use crate::journal::testing::{JournalBuilder, every_event, gate_asked};
use crate::report::testing::plan;
use futures_util::FutureExt as _;
use std::collections::VecDeque;
use std::sync::Condvar;

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
        Some(GivenAnswer { step, answer, comment: Some("because".to_owned()), acknowledged: None })
    };
    // Also where everything is protected: it names the run and the answer.
    let reply = asked(false, &environment(true), given("a", "reject"), &gate).expect("an answer");
    assert_eq!((reply.answer.as_str(), reply.way), ("reject", AnswerWay::Resume));
    assert_eq!(reply.comment.as_deref(), Some("because"));
    assert_eq!(asked(false, &environment(false), given("b", "reject"), &gate), None);
    assert_eq!(asked(false, &environment(false), given("a", "retry"), &gate), None);
}

/// A person whose lines can be read; when what was typed is thrown away, `then` is typed.
#[derive(Default)]
struct Typist {
    typed: Mutex<VecDeque<&'static str>>,
    then: Mutex<VecDeque<&'static str>>,
    more: Condvar,
}

impl Typist {
    fn types(&self, lines: &[&'static str]) {
        self.typed.lock().expect("no panic").extend(lines);
        self.more.notify_all();
    }
}

impl Terminal for Typist {
    fn is_there(&self) -> bool {
        true
    }

    fn discard(&self) {
        self.typed.lock().expect("no panic").clear();
        let then = std::mem::take(&mut *self.then.lock().expect("no panic"));
        self.types(then.iter().copied().collect::<Vec<_>>().as_slice());
    }

    fn line(&self) -> Option<String> {
        let typed = self.typed.lock().expect("no panic");
        let mut typed = self.more.wait_while(typed, |typed| typed.is_empty()).expect("no panic");
        typed.pop_front().map(str::to_owned)
    }
}

/// People of a plan with `gates` gates; `then` is typed after the question was shown.
fn typing(gates: usize, protected: bool, then: &[&'static str]) -> (People, Arc<Typist>) {
    let mut plan = plan();
    plan.steps.iter_mut().take(gates).for_each(|step| step.gate = Some(GateKind::Person));
    let typist = Arc::new(Typist { then: Mutex::new(then.to_vec().into()), ..Typist::default() });
    let people = People::new(&plan, &environment(protected), false, None);
    (People { terminal: typist.clone(), ..people }, typist)
}

fn decision(reply: Option<Reply>) -> (String, Option<String>) {
    let Reply { answer, way, comment, .. } = reply.expect("an answer");
    assert_eq!(way, AnswerWay::Terminal);
    (answer, comment)
}

#[tokio::test]
async fn what_was_typed_before_a_question_was_shown_does_not_answer_it() {
    let gate = question(gate_asked("a", 60_000, Consequence::Fail));
    let (people, typist) = typing(1, false, &["reject"]);
    typist.types(&["approve", "approve"]);
    assert_eq!(decision(people.ask(&StepKey::new("a"), &gate).await).0, "reject");
}

#[tokio::test]
async fn a_line_that_was_begun_for_one_gate_does_not_open_another() {
    let gate = question(gate_asked("a", 60_000, Consequence::Fail));
    let (a, b) = (StepKey::new("a"), StepKey::new("b"));
    for read_before in [true, false] {
        let (people, typist) = typing(1, false, &[]);
        assert_eq!(people.ask(&a, &gate).now_or_never(), None, "its line is being read");
        let after: &[&str] = if read_before {
            typist.types(&["approve"]);
            while !people.line.lock().await.as_ref().expect("it is read").is_finished() {
                tokio::task::yield_now().await;
            }
            &["reject"]
        } else {
            &["approve", "reject"]
        };
        typist.then.lock().expect("no panic").extend(after);
        assert_eq!(decision(people.ask(&b, &gate).await).0, "reject", "{read_before}");
    }
}

#[tokio::test]
async fn one_line_is_an_answer_with_its_comment() {
    let gate = question(gate_asked("a", 60_000, Consequence::Fail));
    let step = StepKey::new("gate_b");
    let other = ["", "yes", "approved", "Approve", "approve, no", "maybe approve"];
    let unnamed = ["approve", "approve gate_c", "approve gate_bb", "gate_b", "approvegate_b"];
    for (gates, protected, refused, line, comment) in [
        (1, false, &other[..], "approve", None),
        (1, false, &other, "approve  agreed on the call ", Some("agreed on the call")),
        (1, false, &other, "approve gate_b agreed", Some("agreed")),
        (1, true, &unnamed, "approve gate_b", None),
        (2, false, &unnamed, "approve gate_b agreed", Some("agreed")),
    ] {
        let (people, _) = typing(gates, protected, &[refused, &[line]].concat());
        let found = decision(people.ask(&step, &gate).await);
        assert_eq!(found, (APPROVE.to_owned(), comment.map(str::to_owned)), "{line}");
        let prompt = people.prompt(&step, &gate);
        assert_eq!(prompt.contains("type `approve gate_b` or"), protected || gates > 1, "{prompt}");
    }
}
