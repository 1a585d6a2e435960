//! Codes of steps that are judged together: gates and what is behind them, runbooks that call others.
//!
//! **Invariant:** see the parent.

use crate::runbook::codes;
use crate::runbook::explain::{Document, Entry};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: codes::BEFORE,
        meaning: "`before` of a `gate.approve` names steps of the same runbook that wait for the gate, \
                  each by its id: those that cannot be taken back.",
        why: "The gate shows what is at stake at these steps. A step that does not wait for it is done \
              before anybody has seen that.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: go\n    uses: gate.approve\n    with: { message: Fail over?, before: \
                [swap] }\n    timeout: 1h\n  - id: swap\n    uses: rds.force_failover\n    irreversible: \
                true\n    with: { instance: shop-orders }\n  - id: look\n    uses: \
                rds.check_source\n    needs: [go, swap]\n    with: { instance: shop-orders }\n",
        mended: "steps:\n  - id: go\n    uses: gate.approve\n    with: { message: Fail over?, before: \
                 [swap] }\n    timeout: 1h\n  - id: swap\n    uses: rds.force_failover\n    needs: \
                 [go]\n    irreversible: true\n    with: { instance: shop-orders }\n  - id: look\n    uses: \
                 rds.check_source\n    needs: [swap]\n    with: { instance: shop-orders }\n",
    },
    Entry {
        code: codes::CALL,
        meaning: "`runbook.call` names a runbook of the project that is valid by itself, and gives its \
                  parameters: those that it has, each of its type, and all that it requires.",
        why: "The steps of a called runbook become steps of this run, and are planned with it: what \
              cannot be called would be noticed in the middle of a recovery.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: restore\n    uses: runbook.call\n    with: { runbook: no-such-runbook \
                }\n",
        mended: "steps:\n  - id: restore\n    uses: rds.check_source\n    with: { instance: \
                 shop-orders }\n",
    },
    Entry {
        code: codes::CALL_CIRCLE,
        meaning: "Following `runbook.call` from a runbook leads back to it, or further than three calls \
                  deep. The message shows the way.",
        why: "A circle never ends, and what is called by what is called by what is called is followed by \
              nobody at three in the morning.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: again\n    uses: runbook.call\n    with: { runbook: example }\n",
        mended: "steps:\n  - id: again\n    uses: rds.check_source\n    with: { instance: shop-orders \
                 }\n",
    },
];
