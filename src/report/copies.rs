//! How long copies to another bucket took, as canaries measured it.
//!
//! **Invariant:** figures of steps that measured; a step that did not end well has none.

use crate::base::duration;
use crate::journal::fold::RunState;
use crate::plan::model::Plan;
use crate::report::measure::human_ms;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The action that measures.
const MEASURES: &str = "s3.canary";

/// Figures of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyTimes {
    /// The step.
    pub step: String,
    /// How many copies were measured.
    pub samples: u64,
    /// Half of them took no longer.
    pub p50_ms: u64,
    /// 19 of 20 took no longer.
    pub p95_ms: u64,
    /// The longest.
    pub max_ms: u64,
}

impl CopyTimes {
    /// In words: `p50 800ms, p95 1.2s, max 1.2s of 5`.
    pub fn words(&self) -> String {
        let [p50, p95, max] = [self.p50_ms, self.p95_ms, self.max_ms].map(human_ms);
        format!("p50 {p50}, p95 {p95}, max {max} of {}", self.samples)
    }
}

/// The figures of every step that measured copies, in the plan's order.
pub(super) fn copies(plan: &Plan, state: &RunState) -> Vec<CopyTimes> {
    let steps = plan.steps.iter().filter(|step| step.uses == MEASURES);
    let each = steps.filter_map(|step| {
        let outputs = &state.steps.get(&step.key)?.outputs;
        Some(CopyTimes {
            step: step.key.as_str().to_owned(),
            samples: outputs.get("samples")?.as_u64()?,
            p50_ms: millis(outputs, "p50")?,
            p95_ms: millis(outputs, "p95")?,
            max_ms: millis(outputs, "max")?,
        })
    });
    each.collect()
}

fn millis(outputs: &Json, name: &str) -> Option<u64> {
    let time = duration::parse(outputs.get(name)?.as_str()?).ok()?;
    u64::try_from(time.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use crate::plan::model::{Phase, Plan};
    use crate::report::testing::{journal, plan, report, step};
    use crate::report::{history_row, render_history, render_json, render_summary};
    use serde_json::json;

    fn measuring() -> Plan {
        let mut plan = plan();
        plan.steps = vec![step("measure", "s3.canary", Phase::Verify)];
        (plan.measure.recovered, plan.measure.recovery_point) = ([].into(), [].into());
        plan.measure.restored = [].into();
        plan
    }

    #[test]
    fn figures_are_in_the_report_and_in_the_history() {
        let outputs =
            json!({ "p50": "800ms", "p95": "1s200ms", "max": "3s", "samples": 5, "keys": "k" });
        let whole = report(&journal(&measuring()).ran(0, 9_000, "measure", outputs));
        let [copies] = whole.copies.as_slice() else { panic!("one step") };
        assert_eq!((copies.p50_ms, copies.p95_ms, copies.max_ms), (800, 1_200, 3_000));
        let words = copies.words();
        assert!(render_summary(&whole).contains(&format!("copies {words}")), "{words}");
        let row = history_row(&whole);
        assert_eq!(row.copies.as_ref(), Some(copies));
        assert!(render_history(&[row], &[]).contains(&words), "{words}");
    }

    #[test]
    fn a_report_without_them_is_what_it_was() {
        let none = json!({ "p50": null, "p95": null, "max": null, "samples": 0, "keys": "k" });
        let report = report(&journal(&measuring()).ran(0, 9_000, "measure", none));
        assert_eq!(report.copies, []);
        assert!(!render_json(&report).contains("copies"));
        let row = serde_json::to_string(&history_row(&report)).expect("plain data");
        assert!(!row.contains("copies"), "{row}");
    }
}
