//! People at other terminals: approvals, pauses, skips, retries, aborts.

use super::*;
use crate::engine::SeenGate;
use crate::journal::fold::Consequence;
use crate::journal::{Command, Posted};

mod abort;
mod form;
mod reserved;
mod stakes;

/// What people post, and when, counted from the beginning of the run.
type Post = (u64, &'static str, Command);

fn key(step: &str) -> StepKey {
    StepKey::new(step)
}

fn abort(undo: bool) -> Command {
    Command::Abort { reason: Some("wrong database".to_owned()), undo }
}

fn pause() -> Command {
    Command::Pause { reason: None }
}

fn approve(step: &str) -> Command {
    Command::Approve { step: key(step), comment: None, acknowledge: None }
}

fn reject(step: &str) -> Command {
    Command::Reject { step: key(step), comment: None }
}

fn withdraw(step: &str) -> Command {
    Command::Withdraw { step: key(step), comment: None }
}

fn skip(step: &str) -> Command {
    Command::Skip { step: key(step), reason: "done by hand".to_owned() }
}

fn retry(step: &str) -> Command {
    Command::Retry { step: key(step) }
}

fn answer(step: &str, answer: &str) -> Command {
    Command::Answer { step: key(step), answer: answer.to_owned(), comment: None }
}

/// `posts` as commands, with the seconds after which they arrive.
fn posted(posts: &[Post]) -> Vec<(DateTime<Utc>, Posted)> {
    let mut random = crate::base::seed::Seed::new(1).stream("inbox");
    let post = |(second, by, command): &Post| {
        let at = simulated_epoch() + Duration::from_secs(*second);
        (at, Posted::new(command.clone(), Person::declared(by), at, &mut random))
    };
    posts.iter().map(post).collect()
}

/// Drives with an inbox; a run that is held waits for the next post. Ends also when nothing is left but to
/// wait for people who post nothing more.
fn drive_with(
    (mut machine, mut turn): (Machine, Turn),
    world: &mut World,
    posts: &[Post],
    mut now: DateTime<Utc>,
) -> Run {
    let (mut records, mut flying) = (Vec::new(), Vec::new());
    flying.extend(posted(posts).into_iter().map(|(at, one)| (at, Input::Command(one))));
    for _ in 0..20_000 {
        records.append(&mut turn.records);
        for effect in std::mem::take(&mut turn.effects) {
            if effect == Effect::Halt {
                return Run { state: machine.state().clone(), records, now };
            }
            if let Effect::Forget { step } = &effect {
                flying.retain(|(_, input)| about(input) != Some(step));
                continue;
            }
            let (delay, input) = world.answer_at(effect, now);
            flying.push((now + delay, input));
        }
        flying.sort_by_key(|(at, _)| *at);
        let waits = flying.first().is_none_or(|(at, _)| *at > now + NEVER / 2);
        if waits {
            assert!(machine.awaits_people(), "nothing in flight: {:?}", machine.state());
            return Run { state: machine.state().clone(), records, now };
        }
        let (at, input) = flying.remove(0);
        now = at.max(now);
        turn = machine.handle(input, now);
    }
    panic!("the run does not end");
}

fn with(plan: &Plan, mut world: World, posts: &[Post]) -> Run {
    let (mut machine, turn) = begin(plan);
    machine.wait_for_people();
    drive_with((machine, turn), &mut world, posts, simulated_epoch())
}

impl Run {
    fn refusals(&self) -> Vec<String> {
        self.state.commands.values().flatten().cloned().collect()
    }

    /// The steps of the events of this kind, in order.
    fn order(&self, kind: &str) -> Vec<String> {
        let of = self.records.iter().filter(|record| record.event.kind() == kind);
        of.filter_map(|record| Some(record.event.step()?.to_string())).collect()
    }

    /// The sequence numbers of the events of this kind.
    fn seqs(&self, kind: &str) -> Vec<u64> {
        let of = self.records.iter().filter(|record| record.event.kind() == kind);
        of.map(|record| record.seq).collect()
    }

    fn at(&self, kind: &str, step: &str) -> DateTime<Utc> {
        let found = self
            .records
            .iter()
            .find(|record| record.event.kind() == kind && record.event.step() == Some(&key(step)));
        found.unwrap_or_else(|| panic!("no {kind} of {step}")).at
    }
}

/// `first`, then a gate that `approvals` of `approvers` open, then `after`; `clean` always runs.
fn gated(protected: bool) -> Plan {
    let gate = PlannedStep {
        timeout_ms: 1_800_000,
        gate: Some(crate::plan::model::GateKind::Person),
        ..check("gate", &["first"])
    };
    let clean = PlannedStep { always: true, undo: None, ..mutation("clean", &["after"]) };
    let mut plan = plan(vec![mutation("first", &[]), gate, mutation("after", &["gate"]), clean]);
    (plan.environment.protected, plan.environment.simulated) = (protected, true);
    plan
}

fn gate_of(approvers: &[&str], approvals: u32) -> World {
    let approvers = approvers.iter().map(|name| (*name).to_owned()).collect();
    let (message, on_timeout) = ("promote?".to_owned(), Consequence::Fail);
    let gate = Seen::Gate(SeenGate { message, approvers, approvals, on_timeout });
    World::default().look("gate", vec![Ok(gate)])
}

/// A world in which every step makes what it is for: absent, creating for two looks, there.
fn making(steps: &[&'static str]) -> World {
    steps.iter().fold(World::default(), |world, step| {
        let looks = vec![Ok(Seen::Absent), progress("creating"), progress("creating"), done()];
        world.look(step, looks).undo(step, vec![Ok(Seen::Absent), progress("deleting"), done()])
    })
}

#[test]
fn two_different_people_open_a_gate_of_two() {
    let plan = gated(true);
    let opened = with(
        &plan,
        gate_of(&["ann", "bob", "eve"], 2),
        &[(10, "ann", approve("gate")), (20, "ann", approve("gate")), (30, "bob", approve("gate"))],
    );
    assert_eq!(opened.state.finished, Some(RunOutcome::Succeeded));
    assert_eq!((opened.kinds("approval_given"), opened.kinds("question_answered")), (2, 1));
    let gate = &opened.state.steps[&key("gate")];
    assert_eq!(gate.outputs["approved_by"], "ann, bob");
    assert_eq!(gate.evidence.len(), 2);
    assert_eq!(opened.at("question_answered", "gate"), simulated_epoch() + Duration::from_secs(30));
    let refused = opened.refusals();
    assert!(refused.len() == 1 && refused[0].contains("ann approved it already"), "{refused:?}");
}

#[test]
fn nobody_but_the_approvers_decides() {
    let posts = [(10, "mallory", approve("gate")), (11, "mallory", reject("gate"))];
    let waiting = with(&gated(false), gate_of(&["ann"], 1), &posts);
    assert_eq!(
        (waiting.failure("gate"), waiting.kinds("question_answered")),
        (ErrorKind::TimedOut, 0)
    );
    let refused = waiting.refusals();
    assert!(refused.iter().all(|why| why.contains("mallory is none of them")), "{refused:?}");
    let rejected = with(&gated(false), gate_of(&["ann"], 2), &[(10, "ann", reject("gate"))]);
    assert_eq!(rejected.state.finished, Some(RunOutcome::Aborted), "one rejection is enough");
    assert_eq!(rejected.status("clean"), StepStatus::Succeeded);
}

#[test]
fn an_approval_can_be_withdrawn_until_it_was_used() {
    let posts = [
        (10, "ann", approve("gate")),
        (20, "bob", withdraw("gate")),
        (30, "ann", withdraw("gate")),
        (40, "bob", approve("gate")),
        (50, "ann", approve("gate")),
        (50, "ann", withdraw("gate")),
    ];
    let run = with(&gated(false), gate_of(&[], 2), &posts);
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
    assert_eq!((run.kinds("approval_given"), run.kinds("approval_withdrawn")), (3, 1));
    assert_eq!(run.state.steps[&key("gate")].outputs["approved_by"], "bob, ann");
    let refused = run.refusals();
    assert!(refused.iter().any(|why| why.contains("bob has given no approval")), "{refused:?}");
    assert!(refused.iter().any(|why| why.contains("that was used stays")), "{refused:?}");
}

#[test]
fn yes_counts_as_one_person_and_not_at_all_where_it_is_protected() {
    let run = |protected, approvals| {
        let plan = gated(protected);
        let (machine, turn) = begin(&plan);
        let mut world = gate_of(&[], approvals);
        world.answers.push_back("approve");
        world.way = AnswerWay::Yes;
        drive(machine, turn, &mut world, simulated_epoch())
    };
    assert_eq!(run(false, 1).state.finished, Some(RunOutcome::Succeeded));
    let half = run(false, 2);
    assert_eq!((half.state.finished, half.kinds("approval_given")), (None, 1));
    assert_eq!(half.state.interrupted.as_deref(), Some("question"));
    let none = run(true, 1);
    assert_eq!((none.state.finished, none.kinds("answer_refused")), (None, 1));
    assert_eq!(none.kinds("question_answered"), 0);
}

#[test]
fn a_gate_s_time_ends_also_while_others_are_waited_for() {
    let late = [(1_790, "ann", approve("gate")), (1_801, "bob", approve("gate"))];
    let run = with(&gated(false), gate_of(&[], 2), &late);
    assert_eq!((run.failure("gate"), run.kinds("question_expired")), (ErrorKind::TimedOut, 1));
    let ended = simulated_epoch() + Duration::from_secs(1_800);
    assert_eq!(run.at("step_failed", "gate"), ended);
    assert_eq!(run.state.finished, Some(RunOutcome::Failed));
}

#[test]
fn a_pause_lets_nothing_begin_and_nothing_act_until_somebody_continues() {
    let plan = policy(OnFailure::Stop);
    let world = making(&["first", "a", "b", "c", "e", "d"]);
    let posts = [(12, "ann", pause()), (13, "bob", pause()), (4_000, "bob", Command::Continue)];
    let run = with(&plan, world, &posts);
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
    let (paused, continued) = (run.seqs("run_paused")[0], run.seqs("run_continued")[0]);
    for kind in ["step_started", "intent_recorded"] {
        let between = run.seqs(kind).iter().any(|seq| (paused..continued).contains(seq));
        assert!(!between, "{kind} in a pause");
    }
    let looked = run.seqs("step_succeeded").iter().any(|seq| (paused..continued).contains(seq));
    assert!(looked, "what was under way was looked at and ended");
    assert!(run.refusals()[0].contains("ann paused it already"), "{:?}", run.refusals());
}

#[test]
fn a_pause_takes_no_time_from_what_it_holds_up() {
    // `a` looks before it acts; the pause comes between, and lasts for longer than its time-out.
    let looks = [vec![progress("busy")], vec![Ok(Seen::Absent); 3_000]].concat();
    let world = World::default().look("a", looks);
    let posts = [(5, "ann", pause()), (3_600, "ann", Command::Continue)];
    let held = with(&plan(vec![mutation("a", &[])]), world, &posts);
    assert_eq!(held.kinds("step_retried"), 0);
    let first = held.at("intent_recorded", "a") - simulated_epoch();
    assert_eq!(first.num_seconds(), 3_600, "it acts when the run continues");
}

#[test]
fn a_pause_survives_the_process() {
    let plan = policy(OnFailure::Stop);
    let steps = ["first", "a", "b", "c", "e", "d"];
    let paused = with(&plan, making(&steps), &[(12, "ann", pause())]);
    assert!(paused.state.paused.is_some() && paused.state.finished.is_none());
    let start = Start { operator: "bob".to_owned(), fence: 2 };
    let (machine, turn) = Machine::resume(plan, paused.state, start, paused.now);
    let mut world = making(&[]);
    let second = (paused.now - simulated_epoch()).num_seconds().unsigned_abs();
    let posts = [(second + 100, "bob", Command::Continue)];
    let run = drive_with((machine, turn), &mut world, &posts, paused.now);
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
    let continued = run.seqs("run_continued")[0];
    assert!(run.seqs("step_started").iter().all(|seq| *seq > continued));
}

#[test]
fn what_needs_a_skipped_step_goes_on_unless_it_refers_to_it() {
    let mut plan = policy(OnFailure::Stop);
    plan.steps[4].with = json!({ "id": "${{ steps.c.outputs.id }}" });
    let world = || making(&["first", "a", "b", "c", "e", "d"]);
    let run = with(&plan, world(), &[(1, "ann", skip("a")), (2, "ann", skip("c"))]);
    assert_eq!(run.state.finished, Some(RunOutcome::Warned));
    let reason = Some("done by hand".to_owned());
    let by_ann = SkipReason::Operator { operator: "ann".to_owned(), reason };
    assert_eq!((run.skip("a"), run.skip("c")), (Some(by_ann.clone()), Some(by_ann)));
    assert_eq!(run.status("b"), StepStatus::Succeeded, "it does not refer to `a`");
    assert_eq!(run.skip("e"), Some(SkipReason::Upstream { step: key("c") }));
    assert_eq!(run.status("d"), StepStatus::Succeeded);
}

#[test]
fn what_needs_a_skipped_step_waits_for_what_that_waited_for() {
    let plan = policy(OnFailure::Stop);
    let run = with(&plan, making(&["first", "a", "b", "c", "e", "d"]), &[(1, "ann", skip("a"))]);
    let began = |step: &str| run.state.steps[&key(step)].started_at.expect("it began");
    let first = run.state.steps[&key("first")].finished_at.expect("it ended");
    assert!(began("b") >= first, "`a` waited for `first`, and `b` for `a`");
}

#[test]
fn what_cannot_be_skipped_says_why() {
    let refused = |plan: &Plan, world: World, second: u64, command: Command| {
        let run = with(plan, world, &[(second, "ann", command)]);
        let mut refused = run.refusals();
        assert_eq!(refused.len(), 1, "{:?}", run.state.commands);
        refused.remove(0)
    };
    let steps = ["first", "a", "b", "c", "e", "d"];
    let run = |second, command| refused(&policy(OnFailure::Stop), making(&steps), second, command);
    assert!(run(1, skip("d")).contains("cleans up and runs whatever happens"));
    assert!(run(12, skip("first")).contains("may have made something"));
    assert!(run(60, skip("first")).contains("is succeeded: there is nothing to skip"));
    assert!(run(1, skip("nowhere")).contains("the run has no step nowhere"));
    assert!(run(1, retry("e")).contains("is pending"));
    assert!(run(1, Command::Continue).contains("not paused"));
    assert!(run(1, approve("a")).contains("asks nothing, it is pending"));
    assert!(run(1, withdraw("a")).contains("no gate a is waiting"));
    let gate = refused(&gated(true), gate_of(&[], 1), 10, skip("gate"));
    assert!(gate.contains("is protected"), "{gate}");
    let early = refused(&gated(true), gate_of(&[], 1), 0, skip("gate"));
    assert!(early.contains("is protected"), "{early}");
    let wrong = refused(&gated(false), gate_of(&[], 1), 10, answer("gate", "perhaps"));
    assert!(wrong.contains("it takes approve, reject"), "{wrong}");
}

#[test]
fn a_gate_that_is_not_protected_and_a_check_under_way_can_be_skipped() {
    let run = with(&gated(false), gate_of(&[], 1), &[(10, "ann", skip("gate"))]);
    assert_eq!(
        (run.status("gate"), run.status("after")),
        (StepStatus::Skipped, StepStatus::Succeeded)
    );
    assert_eq!(run.kinds("question_closed"), 1);
    let slow = World::default().look("a", vec![progress("hydrating")]);
    let plan = plan(vec![check("a", &[]), mutation("b", &["a"])]);
    let run = with(&plan, slow, &[(35, "ann", skip("a"))]);
    assert_eq!((run.status("a"), run.status("b")), (StepStatus::Skipped, StepStatus::Succeeded));
}

#[test]
fn a_retry_looks_now_instead_of_after_the_back_off() {
    let world = World::default().look("a", vec![Err(error(ErrorKind::Temporary)), done()]);
    let mut plan = plan(vec![mutation("a", &[])]);
    plan.steps[0].retry.backoff_ms = 50_000;
    let slow = with(&plan, world, &[]);
    assert_eq!((slow.now - simulated_epoch()).num_seconds(), 50);
    let world = World::default().look("a", vec![Err(error(ErrorKind::Temporary)), done()]);
    let quick = with(&plan, world, &[(7, "ann", retry("a"))]);
    assert_eq!((quick.now - simulated_epoch()).num_seconds(), 7);
    assert_eq!(quick.state.finished, Some(RunOutcome::Succeeded));
}

#[test]
fn a_failure_that_is_asked_about_tells_what_follows_and_is_answered_from_elsewhere() {
    let mut plan = policy(OnFailure::Ask);
    plan.steps[2].with = json!({ "id": "${{ steps.a.outputs.id }}" });
    let world = || a_breaks().look("c", vec![Ok(Seen::Absent), done()]);
    let asked = with(&plan, world(), &[]);
    let question = asked.state.steps[&key("a")].question.clone().expect("asked");
    assert_eq!(question.choices, ["retry", "continue", "skip", "stop", "undo"]);
    let told: BTreeMap<&str, &crate::journal::fold::ChoiceRecord> =
        question.consequences.iter().map(|it| (it.choice.as_str(), it)).collect();
    assert_eq!(told.len(), 5);
    assert_eq!((&told["continue"].skips, &told["skip"].skips), (&vec![key("b")], &vec![key("b")]));
    assert!(told["stop"].skips.contains(&key("b")) && told["stop"].undoes.is_empty());
    assert_eq!(told["stop"].leaves, told["undo"].undoes);
    assert!(told["undo"].undoes.contains(&key("first")), "{told:?}");
    assert!(told["undo"].text.contains("clean-up that runs: d"), "{told:?}");
    for (command, outcome, b) in [
        (answer("a", "continue"), RunOutcome::Failed, StepStatus::Skipped),
        (answer("a", "stop"), RunOutcome::Failed, StepStatus::Skipped),
        (answer("a", "undo"), RunOutcome::Undone, StepStatus::Skipped),
        (skip("a"), RunOutcome::Warned, StepStatus::Skipped),
    ] {
        let run = with(&plan, world(), &[(400, "ann", command.clone())]);
        assert_eq!((run.state.finished, run.status("b")), (Some(outcome), b), "{command:?}");
        assert_eq!(run.status("d"), StepStatus::Succeeded, "{command:?}");
    }
    let healed = || a_breaks().look("a", vec![broken(), done()]);
    let run = with(&plan, healed(), &[(400, "ann", retry("a"))]);
    assert_eq!(run.state.finished, Some(RunOutcome::Succeeded));
}
