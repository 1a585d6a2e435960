//! Gates for certain people: no way around them, and nobody counts twice.

use super::*;

#[test]
fn nobody_skips_a_gate_for_certain_people() {
    let early = |name: &str, value: serde_json::Value| {
        let mut plan = gated(false);
        let gate = plan.steps.iter_mut().find(|step| step.key == key("gate")).expect("a gate");
        gate.with = json!({ name: value });
        with(&plan, gate_of(&[], 1), &[(0, "eve", skip("gate"))]).refusals()
    };
    let asked = |approvers: &[&str], approvals| {
        with(&gated(false), gate_of(approvers, approvals), &[(10, "eve", skip("gate"))]).refusals()
    };
    for refused in [
        early("approvers", json!(["ann"])),
        early("approvers", json!("${{ params.people }}")),
        early("approvals", json!(2)),
        asked(&["ann"], 1),
        asked(&[], 2),
    ] {
        assert!(refused.len() == 1 && refused[0].contains("cannot be skipped"), "{refused:?}");
    }
    assert_eq!(early("approvers", json!([])), Vec::<String>::new());
}

#[test]
fn two_sessions_of_a_role_are_one_person() {
    let by = |session: &str| Person {
        operator: session.to_owned(),
        identity: Some(format!("arn:aws:sts::111122223333:assumed-role/dba/{session}")),
    };
    let (mut machine, turn) = begin(&gated(true));
    machine.wait_for_people();
    let (mut effects, mut world) = (turn.effects, gate_of(&[], 2));
    let now = simulated_epoch();
    while let Some(next) = effects.iter().position(|it| !matches!(it, Effect::Await { .. })) {
        let (_, input) = world.answer_at(effects.remove(next), now);
        effects.extend(machine.handle(input, now).effects);
    }
    let mut random = crate::base::seed::Seed::new(1).stream("inbox");
    for session in ["s1", "s2"] {
        let post = Posted::new(approve("gate"), by(session), now, &mut random);
        machine.handle(Input::Command(post), now);
    }
    let gate = &machine.state().steps[&key("gate")];
    assert_eq!((gate.approvals.len(), gate.question.is_some()), (1, true));
}
