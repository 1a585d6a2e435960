//! The order of what moves a service.

use crate::action::spec::{ActionSpec, Field, Reversibility, Role};
use crate::action::standard;
use crate::base::value::Type;
use crate::runbook::order::lint_order;
use crate::runbook::{Actions, load_runbook};
use std::collections::BTreeMap;

/// The catalogue with one action of each role, and gates that know what they stand before.
struct Roles(BTreeMap<&'static str, ActionSpec>);

impl Roles {
    fn new() -> Self {
        let all = standard();
        let like = |name: &str| all.spec(name).expect("in the catalogue").clone();
        let mut gate = like("gate.approve");
        for (name, kind) in [("attests", Type::String), ("before", Type::texts())] {
            if gate.input(name).is_none() {
                gate.inputs.push(Field::optional(name, kind, "for a test"));
            }
        }
        let final_act = |mut spec: ActionSpec| {
            spec.reversibility = Reversibility::Irreversible;
            spec
        };
        let check = ActionSpec { inputs: Vec::new(), role: Role::None, ..like("rds.check_source") };
        let of = |name, role| ActionSpec {
            name,
            role,
            kind: like("rds.force_failover").kind,
            ..check.clone()
        };
        let specs = [
            gate,
            of("t.fence", Role::Fence),
            final_act(of("t.promote", Role::Promotion)),
            of("t.switch", Role::TrafficSwitch),
            final_act(of("t.final", Role::None)),
            ActionSpec { name: "t.check", ..check.clone() },
        ];
        Self(specs.into_iter().map(|spec| (spec.name, spec)).collect())
    }
}

impl Actions for Roles {
    fn spec(&self, name: &str) -> Option<&ActionSpec> {
        self.0.get(name)
    }

    fn names(&self) -> Vec<&'static str> {
        self.0.keys().copied().collect()
    }
}

/// `id: action < need, need; field: value` lines as a runbook; the codes found and their steps.
fn found(lines: &[&str]) -> Vec<String> {
    let mut text = "apiVersion: drctl/v1\nkind: Runbook\nname: r\ntitle: R\nsteps:\n".to_owned();
    for line in lines {
        let (head, more) = line.split_once(';').unwrap_or((line, ""));
        let (id, rest) = head.split_once(": ").expect("an id");
        let (uses, needs) = rest.split_once(" < ").unwrap_or((rest, ""));
        text.push_str(&format!("  - {{ id: {id}, uses: {uses}, needs: [{needs}]"));
        if !more.is_empty() {
            text.push_str(&format!(",{more}"));
        }
        text.push_str(" }\n");
    }
    let roles = Roles::new();
    let loaded = load_runbook("r.yaml", &text, &roles);
    let (runbook, _) = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    let problems = lint_order(&runbook, &roles);
    let found = problems.sorted().into_iter().map(|one| {
        assert!(one.help.is_some(), "{}", one.message);
        format!("{} {}", one.code, one.message)
    });
    found.collect()
}

const GO: &str = "go: gate.approve < fence; with: { message: go?, before: [promote] }, timeout: 1h";

#[test]
fn the_safe_order_has_nothing_to_find() {
    let safe = [
        "fence: t.fence",
        GO,
        "promote: t.promote < go",
        "check: t.check < promote",
        "dns: t.switch < check",
    ];
    assert_eq!(found(&safe), Vec::<String>::new());
    // An attestation is as good as a fence.
    let attest = "fence: gate.approve; with: { message: gone?, attests: fencing }, timeout: 1h";
    assert_eq!(found(&[attest, GO, "promote: t.promote < go"]), Vec::<String>::new());
    // Home again: the second promotion comes after the first switch.
    let mut trip = safe.to_vec();
    trip.extend([
        "back: t.fence < dns",
        "home: gate.approve < back; with: { message: home?, before: [again] }, timeout: 1h",
        "again: t.promote < home",
        "dns_home: t.switch < again",
    ]);
    assert_eq!(found(&trip), Vec::<String>::new());
}

#[test]
fn a_switch_before_the_promotion_is_found_with_the_safe_order() {
    // As the document of the shipped estate had it: names first.
    let before = found(&[
        "fence: t.fence",
        "dns: t.switch < fence",
        "go: gate.approve < dns; with: { message: go?, before: [promote] }, timeout: 1h",
        "promote: t.promote < go",
    ]);
    assert_eq!(before.len(), 1, "{before:?}");
    assert!(before[0].starts_with("DR060 step `dns` can run before `promote`"), "{before:?}");
    // Beside it is before it, sooner or later.
    let beside = found(&["fence: t.fence", GO, "promote: t.promote < go", "dns: t.switch < go"]);
    assert!(beside[0].starts_with("DR060"), "{beside:?}");
    // Whatever becomes of the promotion.
    let always = found(&[
        "fence: t.fence",
        GO,
        "promote: t.promote < go",
        "dns: t.switch < promote; always: true",
    ]);
    assert!(
        always[0].starts_with("DR060 step `dns` runs also when `promote` failed"),
        "{always:?}"
    );
    assert_eq!(found(&["dns: t.switch"]), Vec::<String>::new(), "nothing is promoted");
}

#[test]
fn a_promotion_without_a_fence_or_a_gate_is_named() {
    let bare = found(&["promote: t.promote"]);
    assert_eq!(bare.len(), 2, "{bare:?}");
    assert!(bare.iter().any(|line| line.starts_with("DR061 two writers possible")), "{bare:?}");
    assert!(
        bare.iter().any(|line| line.starts_with("DR062 what step `promote` promotes")),
        "{bare:?}"
    );
    // A fence beside it proves nothing.
    let beside = found(&[
        "fence: t.fence",
        "go: gate.approve; with: { message: go?, before: [promote] }, timeout: 1h",
        "promote: t.promote < go",
    ]);
    assert!(beside[0].starts_with("DR061"), "{beside:?}");
    // A gate that stands before something else shows nothing of it.
    let other = found(&[
        "fence: t.fence",
        "go: gate.approve < fence; with: { message: go?, before: [look] }, timeout: 1h",
        "look: t.check < go",
        "promote: t.promote < go",
    ]);
    assert_eq!(other.len(), 1, "{other:?}");
    assert!(other[0].starts_with("DR062"), "{other:?}");
}

#[test]
fn whatever_cannot_be_undone_wants_a_gate() {
    let bare = found(&["last: t.final; irreversible: true"]);
    assert!(bare[0].starts_with("DR062 what step `last` does cannot be undone"), "{bare:?}");
    let gate = "go: gate.approve; with: { message: go?, before: [last] }, timeout: 1h";
    assert_eq!(found(&[gate, "last: t.final < go; irreversible: true"]), Vec::<String>::new());
    let clean = "last: t.final; irreversible: true, always: true, phase: cleanup";
    assert_eq!(found(&[clean]), Vec::<String>::new(), "clean-up removes what the run made");
}

#[test]
fn two_promotions_side_by_side_are_named() {
    let two = |second: &str| {
        found(&[
            "fence: t.fence",
            "go: gate.approve < fence; with: { message: go?, before: [promote, also] }, timeout: 1h",
            "promote: t.promote < go",
            second,
        ])
    };
    let beside = two("also: t.promote < go");
    assert!(beside[0].starts_with("DR063 steps `promote` and `also` both promote"), "{beside:?}");
    assert_eq!(two("also: t.promote < go, promote"), Vec::<String>::new());
    assert_eq!(two("also: t.promote < go; when: run.mode == 'run'"), Vec::<String>::new());
}
