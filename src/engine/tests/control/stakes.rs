//! Gates before what cannot be taken back: what they show, and what an approval has to acknowledge.

use super::*;
use crate::engine::undo_plan;
use crate::journal::figure::{FENCE_LOST, FENCING, TWO_WRITERS};
use crate::plan::model::{GateKind, Role};

/// `fence`, then the gate `go`, then `promote`, which cannot be taken back.
fn failover() -> Plan {
    let fence = PlannedStep { role: Role::Fence, ..mutation("fence", &[]) };
    let go = PlannedStep {
        gate: Some(GateKind::Person),
        before: vec![key("promote")],
        undo: None,
        // Longer than any of these tests.
        timeout_ms: 400 * 86_400_000,
        ..check("go", &["fence"])
    };
    let role = Role::Promotion;
    let promote =
        PlannedStep { role, irreversible: true, undo: None, ..mutation("promote", &["go"]) };
    plan(vec![fence, go, promote])
}

fn gate() -> Look {
    Ok(Seen::Gate(SeenGate {
        message: "Promote?".to_owned(),
        approvers: Vec::new(),
        approvals: 1,
        on_timeout: Consequence::Fail,
    }))
}

fn lag(seconds: u64) -> FigureRecord {
    FigureRecord {
        step: Some(key("promote")),
        name: "replica_lag".to_owned(),
        text: format!("{seconds} s"),
        known: true,
        time_ms: Some(seconds * 1_000),
    }
}

fn fenced() -> World {
    let outputs = json!({ "proof": "0 tasks run" });
    let proof = Ok(Seen::Done(Box::new(SeenDone { outputs, ..SeenDone::default() })));
    let world = World { figures: vec![lag(12)], ..World::default() };
    world.look("fence", vec![proof]).look("go", vec![gate()])
}

fn acknowledge(step: &str, what: &str) -> Command {
    Command::Approve { step: key(step), comment: None, acknowledge: Some(what.to_owned()) }
}

/// Figures beside the approval, and what was acknowledged.
fn given(run: &Run) -> (Vec<FigureRecord>, Option<String>) {
    let given = run.records.iter().find_map(|record| {
        let Event::ApprovalGiven { figures, acknowledged, .. } = &record.event else { return None };
        Some((figures.clone(), acknowledged.clone()))
    });
    given.expect("an approval")
}

#[test]
fn what_is_at_stake_is_shown_before_it_asks_and_stands_beside_the_approval() {
    let run = with(&failover(), fenced(), &[(60, "ann", approve("go"))]);
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
    let kinds: Vec<&str> = run.records.iter().map(|record| record.event.kind()).collect();
    let asked = kinds.iter().position(|kind| *kind == "question_asked").expect("asked");
    assert_eq!(kinds[asked + 1], "figures_shown");
    let (figures, acknowledged) = given(&run);
    let texts: Vec<String> = figures.iter().map(ToString::to_string).collect();
    assert_eq!(acknowledged, None);
    assert_eq!(
        texts,
        [
            "promote: replica lag: 12 s",
            "fencing: fence: 0 tasks run",
            "undo: can be undone: fence; how long that takes is not known",
            "abort: `drctl abort` takes that back and leaves nothing; clean-up that runs: nothing",
        ]
    );
}

#[test]
fn two_writers_are_acknowledged_in_so_many_words_or_nothing_is_promoted() {
    let mut plan = failover();
    plan.steps[0].role = Role::None;
    let posts = [
        (60, "ann", approve("go")),
        (61, "ann", answer("go", "approve")),
        (62, "ann", acknowledge("go", "one-writer")),
        (63, "ann", skip("go")),
        (64, "ann", acknowledge("go", TWO_WRITERS)),
    ];
    let run = with(&plan, fenced(), &posts);
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
    let refusals = run.refusals().join("\n");
    assert_eq!(run.refusals().len(), 4, "{refusals}");
    for part in [
        "two writers are possible",
        "--acknowledge two-writers",
        "`one-writer` is nothing to acknowledge",
        "what is behind it cannot be taken back",
    ] {
        assert!(refusals.contains(part), "{part}: {refusals}");
    }
    let (figures, acknowledged) = given(&run);
    assert_eq!(acknowledged.as_deref(), Some(TWO_WRITERS));
    let fencing = figures.iter().find(|figure| figure.name == FENCING).expect("it is shown");
    assert!(!fencing.known && fencing.text.starts_with("TWO WRITERS POSSIBLE: no step"));
}

#[test]
fn yes_is_never_enough_for_two_writers() {
    let mut plan = failover();
    plan.steps[0].role = Role::None;
    let mut world = fenced();
    (world.way, world.answers) = (AnswerWay::Yes, VecDeque::from(["approve"]));
    let refused = run(&plan, world);
    assert_eq!(refused.state.interrupted.as_deref(), Some("question"));
    assert_eq!((refused.kinds("answer_refused"), refused.kinds("approval_given")), (1, 0));
    // Where the fence is proven it is.
    let mut world = fenced();
    (world.way, world.answers) = (AnswerWay::Yes, VecDeque::from(["approve"]));
    assert_eq!(run(&failover(), world).state.finished, Some(RunOutcome::Succeeded));
}

#[test]
fn a_fence_that_is_not_there_is_no_proof_and_an_attestation_is() {
    // A second fence failed, and the run goes on.
    let mut plan = failover();
    let more =
        PlannedStep { role: Role::Fence, on_failure: OnFailure::Continue, ..mutation("more", &[]) };
    plan.steps.insert(0, more);
    plan.steps[3].needs.push(key("more"));
    let refused = with(&plan, fenced().look("more", vec![broken()]), &[(60, "ann", approve("go"))]);
    assert!(refused.refusals()[0].contains("two writers"), "{:?}", refused.refusals());
    let shown = refused.state.steps[&key("go")].question.as_ref().expect("open").figures.clone();
    let fencing = shown.iter().find(|figure| figure.name == FENCING).expect("it is shown");
    assert_eq!(
        fencing.text,
        "TWO WRITERS POSSIBLE: fence more is failed (done: fence: 0 tasks run)"
    );
    // The fence belongs to the other form, and a person attests it.
    let mut plan = failover();
    plan.steps[0].by_form = true;
    let attest = PlannedStep { attests: true, ..plan.steps[1].clone() };
    plan.steps.insert(1, PlannedStep { key: key("attest"), before: Vec::new(), ..attest });
    plan.steps[2].needs.push(key("attest"));
    let mut world = fenced().look("attest", vec![gate()]);
    world.conditions.insert("fence", Begun::Skip { when: "run.form == 'graceful'".to_owned() });
    let posts = [(60, "bob", approve("attest")), (90, "ann", approve("go"))];
    let run = with(&plan, world, &posts);
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
    let figures = given(&run).0;
    assert!(figures.iter().any(|it| it.text == "attest: attested by bob"), "{figures:?}");
}

#[test]
fn figures_that_change_a_decision_are_recorded_and_others_are_not() {
    let (mut machine, turn) = begin(&failover());
    machine.wait_for_people();
    let run = drive_with((machine, turn), &mut fenced(), &[], simulated_epoch());
    let json = serde_json::to_value(failover()).expect("plain data");
    assert_eq!(run.state.plan, json);
    let start = Start { operator: "bob".to_owned(), fence: 2 };
    let (mut machine, mut turn) = Machine::resume(failover(), run.state, start, run.now);
    assert!(turn.effects.contains(&Effect::Weigh { step: key("go") }), "{turn:?}");
    let mut shown = Vec::new();
    for seconds in [12, 14, 30, 29, 3] {
        let figures = vec![lag(seconds)];
        turn = machine.handle(Input::Weighed { step: key("go"), figures }, run.now);
        let count = turn.records.iter().filter(|it| it.event.kind() == "figures_shown").count();
        shown.push(count);
    }
    assert_eq!(shown, [0, 0, 1, 0, 1]);
    assert!(turn.effects.is_empty(), "the question is asked once");
}

#[test]
fn every_prefix_of_a_gate_with_stakes_ends_the_same() {
    let plan = failover();
    let whole = with(&plan, fenced(), &[(60, "ann", approve("go"))]);
    for count in 2..whole.records.len() - 1 {
        let state = RunState::fold(&whole.records[..count]).expect("every prefix folds");
        let start = Start { operator: "bob".to_owned(), fence: 2 };
        let now = whole.records[count - 1].at;
        let (mut machine, turn) = Machine::resume(plan.clone(), state, start, now);
        machine.wait_for_people();
        // Also where the first approval is in the journal and what follows from it is not.
        let posts = [(3_000, "bob", approve("go"))];
        let run = drive_with((machine, turn), &mut fenced(), &posts, now);
        assert_eq!(run.state.finished, Some(RunOutcome::Succeeded), "{count}");
    }
}

#[test]
fn an_abort_ends_a_gate_that_reads_what_is_at_stake() {
    let (mut machine, mut turn) = begin(&failover());
    let (mut world, mut now) = (fenced(), simulated_epoch());
    // As far as the reading.
    while !turn.effects.iter().any(|it| matches!(it, Effect::Weigh { .. })) {
        let effect = turn.effects.remove(0);
        let (delay, input) = world.answer_at(effect, now);
        now += delay;
        turn = machine.handle(input, now);
    }
    let posted = posted(&[(0, "ann", abort(false))]).remove(0).1;
    let turn = machine.handle(Input::Command(posted), now);
    assert!(turn.effects.contains(&Effect::Halt), "{turn:?}");
    assert_eq!(machine.state().finished, Some(RunOutcome::Aborted));
}

fn lost(fence: &str) -> FigureRecord {
    let text = "service api is no longer at 0: 2 of 2 tasks run".to_owned();
    FigureRecord { step: Some(key(fence)), ..FigureRecord::known(FENCE_LOST, text) }
}

#[test]
fn a_fence_that_is_lost_while_the_gate_waits_is_no_proof_any_more() {
    let (mut machine, turn) = begin(&failover());
    machine.wait_for_people();
    let run = drive_with((machine, turn), &mut fenced(), &[], simulated_epoch());
    let start = Start { operator: "bob".to_owned(), fence: 2 };
    let (mut machine, _) = Machine::resume(failover(), run.state, start, run.now);
    let figures = vec![lag(12), lost("fence")];
    let turn = machine.handle(Input::Weighed { step: key("go"), figures }, run.now);
    let shown = turn.records.iter().find_map(|record| {
        let Event::FiguresShown { figures, .. } = &record.event else { return None };
        Some(figures.clone())
    });
    let fencing = shown.expect("it is news").into_iter().find(|it| it.name == FENCING);
    assert_eq!(
        fencing.map(|it| (it.known, it.text)),
        Some((
            false,
            "TWO WRITERS POSSIBLE: fence fence is lost: service api is no longer at 0: 2 of 2 tasks \
             run"
            .to_owned()
        ))
    );
    let post = |at, command| Input::Command(posted(&[(at, "ann", command)]).remove(0).1);
    let refused = machine.handle(post(0, approve("go")), run.now);
    assert_eq!(refused.records[0].event.kind(), "command_refused", "{:?}", refused.records);
    // It is fenced again: the same approval counts.
    let figures = vec![lag(12)];
    machine.handle(Input::Weighed { step: key("go"), figures }, run.now);
    let taken = machine.handle(post(1, approve("go")), run.now);
    assert!(taken.records.iter().any(|it| it.event.kind() == "question_answered"), "{taken:?}");
}

#[test]
fn no_word_outweighs_a_fence_that_was_seen_to_be_lost() {
    let mut plan = failover();
    let attest = PlannedStep { attests: true, before: Vec::new(), ..plan.steps[1].clone() };
    plan.steps.insert(1, PlannedStep { key: key("attest"), ..attest });
    plan.steps[2].needs.push(key("attest"));
    let world = || {
        let mut world = fenced().look("attest", vec![gate()]);
        world.figures.push(lost("fence"));
        world
    };
    let posts = [(60, "bob", approve("attest")), (90, "ann", approve("go"))];
    let refused = with(&plan, world(), &posts);
    assert!(refused.refusals()[0].contains("two writers"), "{:?}", refused.refusals());
    let posts = [(60, "bob", approve("attest")), (90, "ann", acknowledge("go", TWO_WRITERS))];
    let taken = with(&plan, world(), &posts);
    assert_eq!(given(&taken).1.as_deref(), Some(TWO_WRITERS));
    assert_eq!(taken.state.finished, Some(RunOutcome::Succeeded));
}

#[test]
fn whoever_approved_before_the_fence_was_lost_has_not_agreed_to_two_writers() {
    let two = || {
        let Ok(Seen::Gate(gate)) = gate() else { panic!() };
        let gate = Ok(Seen::Gate(SeenGate { approvals: 2, ..gate }));
        fenced().look("go", vec![gate])
    };
    let (mut machine, turn) = begin(&failover());
    machine.wait_for_people();
    let run = drive_with((machine, turn), &mut two(), &[], simulated_epoch());
    let start = Start { operator: "bob".to_owned(), fence: 2 };
    let (mut machine, _) = Machine::resume(failover(), run.state, start, run.now);
    let weighed = |figures| Input::Weighed { step: key("go"), figures };
    let post = |machine: &mut Machine, at, by: &'static str, command| {
        let input = Input::Command(posted(&[(at, by, command)]).remove(0).1);
        let turn = machine.handle(input, run.now);
        turn.records.iter().map(|it| it.event.kind()).collect::<Vec<_>>()
    };
    machine.handle(weighed(vec![lag(12)]), run.now);
    let kinds = post(&mut machine, 0, "ann", approve("go"));
    assert_eq!(kinds, ["command_taken", "approval_given"]);
    machine.handle(weighed(vec![lag(12), lost("fence")]), run.now);
    let kinds = post(&mut machine, 1, "bob", acknowledge("go", TWO_WRITERS));
    assert_eq!(kinds, ["command_taken", "approval_given"], "ann agreed to something else");
    assert_eq!(post(&mut machine, 2, "ann", approve("go")), ["command_refused"]);
    assert_eq!(post(&mut machine, 3, "bob", acknowledge("go", TWO_WRITERS)), ["command_refused"]);
    let kinds = post(&mut machine, 4, "ann", acknowledge("go", TWO_WRITERS));
    assert_eq!(kinds[..3], ["command_taken", "approval_given", "question_answered"]);
}

#[test]
fn what_serves_a_promotion_stays_with_it() {
    let mut plan = failover();
    plan.steps.extend([
        mutation("hand_over", &["promote"]),
        check("seen", &["hand_over"]),
        mutation("dns", &["seen"]),
        mutation("aside", &[]),
        mutation("last", &["dns", "aside"]),
    ]);
    let world = fenced().look("last", vec![progress("going"); 500]);
    let posts = [(60, "ann", approve("go")), (300, "ann", abort(true))];
    let run = with(&plan, world, &posts);
    for (step, status) in [
        ("fence", StepStatus::Succeeded),
        ("promote", StepStatus::Succeeded),
        ("hand_over", StepStatus::Succeeded),
        ("dns", StepStatus::Succeeded),
        ("aside", StepStatus::Undone),
    ] {
        assert_eq!(run.status(step), status, "{step}");
    }
    let found = undo_plan(&plan, &run.state);
    assert_eq!(
        (&found.kept_by[&key("dns")], &found.kept_by[&key("fence")]),
        (&key("promote"), &key("promote"))
    );
}

#[test]
fn yes_attests_nothing_where_it_is_not_simulated() {
    for (simulated, opens) in [(true, true), (false, false)] {
        let mut plan = failover();
        plan.environment.simulated = simulated;
        plan.environment.protected = false;
        (plan.steps[1].attests, plan.steps[1].before) = (true, Vec::new());
        let mut world = fenced();
        (world.way, world.answers) = (AnswerWay::Yes, VecDeque::from(["approve"]));
        let run = run(&plan, world);
        assert_eq!(run.status("go") == StepStatus::Succeeded, opens, "{simulated}");
    }
}
