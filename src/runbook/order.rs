//! Lint of order: what moves a service must do so in an order that never sends writers to a read-only
//! database, nor lets two of them live.
//!
//! **Invariant:** only `needs` keep an order; two steps without a way between them may run either way. The
//! steps of called runbooks stand among those of the one that calls.

use crate::action::spec::{ActionKind, ActionSpec, Reversibility, Role};
use crate::base::diagnostic::{Problems, Span};
use crate::base::ids::{frame_of, frames, joined};
use crate::runbook::codes;
use crate::runbook::model::{Actions, Phase, Runbook, Step};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// The action that asks people.
const GATE: &str = "gate.approve";

/// Acts that are never taken back and cost no data: the standby of another zone has all of it, and a rotated
/// password is followed by the next. There is no price that a gate could show.
const COST_NO_DATA: [&str; 2] = ["rds.force_failover", "secrets.rotate"];

/// Steps with what their actions declare, and who is upstream of whom.
struct Order<'a> {
    runbook: &'a Runbook,
    steps: Vec<(&'a Step, Option<&'a ActionSpec>)>,
    /// By position, the positions of all that is upstream.
    upstream: Vec<BTreeSet<usize>>,
}

impl<'a> Order<'a> {
    fn of(runbook: &'a Runbook, actions: &'a dyn Actions) -> Self {
        let steps: Vec<_> =
            runbook.steps.iter().map(|step| (step, actions.spec(&step.uses))).collect();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut upstream: Vec<BTreeSet<usize>> = Vec::with_capacity(steps.len());
        // Only what has a part in moving a service is kept: a long runbook stays cheap.
        for (at, (step, _)) in steps.iter().enumerate() {
            let mut above = BTreeSet::new();
            for need in step.needs.iter().filter_map(|id| places.get(id.as_str()).copied()) {
                above.extend(upstream[need].iter().copied());
                if matters(steps[need]) {
                    above.insert(need);
                }
            }
            upstream.push(above);
            places.insert(step.id.as_str(), at);
        }
        Self { runbook, steps, upstream }
    }

    fn with_role(&self, role: Role) -> Vec<usize> {
        let all = self.steps.iter().enumerate();
        all.filter(|(_, one)| role_of(**one) == role).map(|(at, _)| at).collect()
    }

    fn is_upstream(&self, above: usize, below: usize) -> bool {
        self.upstream[below].contains(&above)
    }

    fn id(&self, at: usize) -> &str {
        &self.steps[at].0.id
    }

    /// Where the step is shown, and its id with where it is written if that is another file.
    fn place(&self, at: usize) -> (Span, String) {
        let step = self.steps[at].0;
        let (span, written) = self.runbook.seen_at(step, step.span);
        (span, format!("`{}`{written}", step.id))
    }

    /// Whether a condition may leave the step out, its own or that of a call.
    fn is_conditional(&self, at: usize) -> bool {
        let step = self.steps[at].0;
        let called =
            |frame: &str| self.runbook.calls.get(frame).is_some_and(|it| it.when.is_some());
        step.when.is_some() || frames(frame_of(&step.id)).any(called)
    }
}

fn role_of((_, spec): (&Step, Option<&ActionSpec>)) -> Role {
    spec.map_or(Role::None, |spec| spec.role)
}

/// Whether the order of this step with others is judged.
fn matters(one: (&Step, Option<&ActionSpec>)) -> bool {
    role_of(one) != Role::None || one.0.uses == GATE
}

/// Judges the order of the steps of `runbook`.
pub fn lint_order(runbook: &Runbook, actions: &dyn Actions) -> Problems {
    let mut problems = Problems::in_text(&runbook.file, &runbook.text);
    let order = Order::of(runbook, actions);
    switches(&order, &mut problems);
    promotions(&order, &mut problems);
    points_of_no_return(&order, &mut problems);
    problems
}

/// Clients are sent to a database only after it has become the writer.
fn switches(order: &Order<'_>, p: &mut Problems) {
    let promotions = order.with_role(Role::Promotion);
    for switch in order.with_role(Role::TrafficSwitch) {
        let (step, id, (span, shown)) =
            (order.steps[switch].0, order.id(switch), order.place(switch));
        let after: Vec<usize> =
            promotions.iter().copied().filter(|at| order.is_upstream(*at, switch)).collect();
        // One that comes later has its own switch, as in a round trip.
        let early = promotions.iter().copied().find(|at| {
            !order.is_upstream(*at, switch) && (after.is_empty() || !order.is_upstream(switch, *at))
        });
        if let Some(promotion) = early {
            let promotion = order.id(promotion);
            let message = format!(
                "step {shown} can run before `{promotion}`: it sends writers to a database that is still \
                 read-only"
            );
            p.error(codes::EARLY_SWITCH, span, message).help(format!(
                "the safe order is fence, promote, check, switch: add `{promotion}`, or the check after \
                 it, to the `needs` of `{id}`"
            ));
        } else if let (Some(promotion), true) = (after.first(), step.always) {
            let promotion = order.id(*promotion);
            let message = format!(
                "step {shown} runs also when `{promotion}` failed: it sends writers to a database that is \
                 still read-only"
            );
            p.error(codes::EARLY_SWITCH, span, message)
                .help(format!("leave `always` out of `{id}`"));
        }
    }
}

/// A promotion follows a fence or somebody's word that the old writer is gone, and is the only one.
fn promotions(order: &Order<'_>, p: &mut Problems) {
    let (fences, promotions) = (order.with_role(Role::Fence), order.with_role(Role::Promotion));
    for (nth, promotion) in promotions.iter().copied().enumerate() {
        let (id, (span, shown)) = (order.id(promotion), order.place(promotion));
        let fenced = fences.iter().any(|fence| order.is_upstream(*fence, promotion));
        let mut above = order.upstream[promotion].iter().map(|at| order.steps[*at].0);
        let attested = above.any(|gate| gate.uses == GATE && gate.with.contains_key("attests"));
        if !fenced && !attested {
            let message = format!(
                "two writers possible: nothing upstream of {shown} fences the old one or attests that it \
                 is gone"
            );
            p.warning(codes::UNFENCED, span, message).help(
                "let it need a step that uses `fence.ecs` or `fence.security_group`, or a gate with \
                 `attests: fencing`",
            );
        }
        let side_by_side = |other: &usize| {
            let apart =
                order.is_upstream(*other, promotion) || order.is_upstream(promotion, *other);
            !apart && !order.is_conditional(*other) && !order.is_conditional(promotion)
        };
        if let Some(other) = promotions[..nth].iter().copied().find(side_by_side) {
            let other = order.id(other);
            let message = format!(
                "steps `{other}` and {shown} both promote: if what they promote follows one source, there \
                 are two writers"
            );
            p.warning(codes::TWO_PROMOTIONS, span, message).help(format!(
                "promote one of them, with a `when` on each; or, where they are of two databases, let \
                 `{id}` need `{other}`"
            ));
        }
    }
}

/// Before what cannot be undone, a gate shows what that would cost.
fn points_of_no_return(order: &Order<'_>, p: &mut Problems) {
    for (at, (step, spec)) in order.steps.iter().enumerate() {
        let Some(spec) = spec.filter(|spec| is_final(step, spec)) else { continue };
        let mut above = order.upstream[at].iter().map(|at| order.steps[*at].0);
        if above.any(|gate| shows(gate, &step.id)) {
            continue;
        }
        let id = &step.id;
        let what = if spec.role == Role::Promotion { "promotes" } else { "does" };
        let (span, shown) = order.place(at);
        let message =
            format!("what step {shown} {what} cannot be undone, and no gate shows the price of it");
        p.warning(codes::NO_POINT_OF_NO_RETURN, span, message).help(format!(
            "let it need a gate: `uses: gate.approve` with `before: [{id}]`, which shows data loss, \
             fencing and what can be undone"
        ));
    }
}

/// Whether a service is worse off when it cannot be undone: clean-up of what the run made is not meant.
fn is_final(step: &Step, spec: &ActionSpec) -> bool {
    if spec.role == Role::Promotion {
        return true;
    }
    let changes = spec.kind == ActionKind::Mutation && !COST_NO_DATA.contains(&spec.name);
    let for_good = matches!(spec.reversibility, Reversibility::Irreversible) && step.irreversible;
    changes && for_good && !step.always && step.phase != Phase::Cleanup
}

/// Whether the gate shows what is lost with the step `id`: it names it, or a call that it is in. Names are
/// those of the gate's own runbook.
fn shows(gate: &Step, id: &str) -> bool {
    let before = gate.with.get("before").filter(|_| gate.uses == GATE).map(|it| it.to_json());
    match before {
        None => false,
        Some(Json::Array(ids)) => {
            let frame = frame_of(&gate.id);
            let mut named = ids.iter().filter_map(Json::as_str).map(|it| joined(frame, it));
            named.any(|it| it == id || frames(frame_of(id)).any(|call| call == it))
        }
        // An expression may name any of them.
        Some(_) => true,
    }
}
