//! Codes of steps that are judged together: gates and what is behind them, runbooks that call others.
//!
//! **Invariant:** see the parent.

use crate::runbook::codes;
use crate::runbook::explain::{Document, Entry};

pub(super) const ENTRIES: &[Entry] = &[Entry {
    code: codes::BEFORE,
    meaning: "`before` of a `gate.approve` names steps of the same runbook that wait for the gate, \
                  each by its id: those that cannot be taken back.",
    why: "The gate shows what is at stake at these steps. A step that does not wait for it is done \
              before anybody has seen that.",
    document: Document::Runbook,
    wrong: "steps:\n  - id: go\n    uses: gate.approve\n    with: { message: Fail over?, before: \
                [swap] }\n    timeout: 1h\n  - id: swap\n    uses: rds.force_failover\n    irreversible: \
                true\n    with: { instance: shop-orders }\n",
    mended: "steps:\n  - id: go\n    uses: gate.approve\n    with: { message: Fail over?, before: \
                 [swap] }\n    timeout: 1h\n  - id: swap\n    uses: rds.force_failover\n    needs: \
                 [go]\n    irreversible: true\n    with: { instance: shop-orders }\n",
}];
