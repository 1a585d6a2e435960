//! Codes of warnings: the file can be used, and probably should be changed.
//!
//! **Invariant:** see the parent.

use crate::runbook::codes;
use crate::runbook::explain::{Document, Entry};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: codes::UNUSED_PARAMETER,
        meaning: "A parameter is declared, and no expression uses it.",
        why: "Who gives it a value believes that it changes something.",
        document: Document::Runbook,
        wrong: "parameters:\n  instance: { type: string }\nsteps:\n  - id: check\n    uses: \
                rds.check_source\n    with: { instance: shop-orders }\n",
        mended: "parameters:\n  instance: { type: string }\nsteps:\n  - id: check\n    uses: \
                 rds.check_source\n    with: { instance: \"${{ params.instance }}\" }\n",
    },
    Entry {
        code: codes::UNUSED_STEP,
        meaning: "A step changes something, no other step needs it, and it neither cleans up nor \
                  notifies nor is measured.",
        why: "Nothing proves that what it did works. Add a check that needs it, or name it in \
              `measure`.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: restore\n    uses: rds.restore_to_point_in_time\n    with: { source: \
                shop-orders, restore_time: \"2026-03-01T10:15:00Z\" }\n",
        mended: "steps:\n  - id: restore\n    uses: rds.restore_to_point_in_time\n    with: { source: \
                 shop-orders, restore_time: \"2026-03-01T10:15:00Z\" }\n  - id: verify\n    uses: \
                 sql.check\n    needs: [restore]\n    with: { instance: \"${{ \
                 steps.restore.outputs.instance }}\" }\n",
    },
    Entry {
        code: codes::IRREVERSIBLE,
        meaning: "What the step does cannot be undone, and the step does not say so. Write \
                  `irreversible: true` when it is meant. A step that only takes back what another \
                  step of the same runbook made needs no such word: name that step's outputs in its \
                  inputs.",
        why: "The word is for the reader and the reviewer: it marks the lines after which there is no \
              way back.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: drop_old\n    uses: rds.delete_instance\n    phase: cleanup\n    \
                with: { instance: shop-orders-old }\n",
        mended: "steps:\n  - id: drop_old\n    uses: rds.delete_instance\n    phase: cleanup\n    \
                 irreversible: true\n    with: { instance: shop-orders-old }\n",
    },
    Entry {
        code: codes::ENDLESS_GATE,
        meaning: "A gate waits for a person or an instant, and this one does not say for how long: \
                  `gate.approve` gives up after a day then, `gate.wait_until` after a week.",
        why: "A recovery that waits for somebody who is asleep looks just like one that works. A \
              time-out makes the waiting end with a clear word.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: decide\n    uses: gate.approve\n    with: { message: Restore the \
                orders? }\n  - id: check\n    uses: rds.check_source\n    needs: [decide]\n    with: \
                { instance: shop-orders }\n",
        mended: "steps:\n  - id: decide\n    uses: gate.approve\n    timeout: 30m\n    with: { \
                 message: Restore the orders? }\n  - id: check\n    uses: rds.check_source\n    \
                 needs: [decide]\n    with: { instance: shop-orders }\n",
    },
    Entry {
        code: codes::UNMEASURED,
        meaning: "An objective was set, and `measure` of the runbook names no step that its figure \
                  could come from: `recovered` for the recovery time, `recovery_point` for the \
                  recovery point.",
        why: "The report can only say `unknown`, and an objective that is never measured is kept by \
              nobody.",
        document: Document::Runbook,
        wrong: "objectives: { recovery_time: 4h }\nsteps:\n  - id: verify\n    uses: sql.check\n    \
                with: { instance: shop-orders }\n",
        mended: "objectives: { recovery_time: 4h }\nmeasure: { recovered: verify }\nsteps:\n  - id: \
                 verify\n    uses: sql.check\n    with: { instance: shop-orders }\n",
    },
    Entry {
        code: codes::UNHEEDED_GATE,
        meaning: "A gate holds up the steps that need it, directly or through others. No step needs \
                  this one, and it is not measured.",
        why: "Steps begin before anybody decided, or before the time has come: the question is about \
              something that was done already.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: decide\n    uses: gate.approve\n    timeout: 30m\n    \
                with: { message: Restore the orders? }\n  - id: check\n    uses: \
                rds.check_source\n    with: { instance: shop-orders }\n",
        mended: "steps:\n  - id: decide\n    uses: gate.approve\n    timeout: 30m\n    \
                with: { message: Restore the orders? }\n  - id: check\n    uses: \
                rds.check_source\n    needs: [decide]\n    with: { instance: \
                shop-orders }\n",
    },
    Entry {
        code: codes::UNCOUNTED_HEARTBEAT,
        meaning: "The runbook measures a recovery point, and `measure.recovery_point` does not name \
                  this step, which reads a heartbeat as well. The field takes a list; the worst figure \
                  counts then.",
        why: "What this database lost counts for nothing: the report says of both what was proven of \
              one.",
        document: Document::Runbook,
        wrong: "measure: { recovery_point: verify_orders }\nsteps:\n  - id: \
                restore_orders\n    uses: rds.restore_to_point_in_time\n    with: { \
                source: shop-orders, restore_time: \"2026-03-01T10:15:00Z\" }\n  - id: \
                verify_orders\n    uses: sql.heartbeat\n    needs: [restore_orders]\n    \
                with: { instance: shop-orders-new }\n  - id: restore_users\n    uses: \
                rds.restore_to_point_in_time\n    with: { source: shop-users, \
                restore_time: \"2026-03-01T10:15:00Z\" }\n  - id: verify_users\n    \
                uses: sql.heartbeat\n    needs: [restore_users]\n    with: { instance: \
                shop-users-new }\n",
        mended: "measure: { recovery_point: [verify_orders, verify_users] }\nsteps:\n  - \
                id: restore_orders\n    uses: rds.restore_to_point_in_time\n    with: { \
                source: shop-orders, restore_time: \"2026-03-01T10:15:00Z\" }\n  - id: \
                verify_orders\n    uses: sql.heartbeat\n    needs: [restore_orders]\n    \
                with: { instance: shop-orders-new }\n  - id: restore_users\n    uses: \
                rds.restore_to_point_in_time\n    with: { source: shop-users, \
                restore_time: \"2026-03-01T10:15:00Z\" }\n  - id: verify_users\n    \
                uses: sql.heartbeat\n    needs: [restore_users]\n    with: { instance: \
                shop-users-new }\n",
    },
    Entry {
        code: codes::TOO_EARLY,
        meaning: "`measure.recovered` names the steps that mean that the service is back, and a step \
                  that restores is not upstream of any of them. The field takes a list; the last of \
                  them counts then.",
        why: "The clock stops while a database may still be on its way: the recovery time is shorter \
              than what people waited for.",
        document: Document::Runbook,
        wrong: "measure: { recovered: verify_orders }\nsteps:\n  - id: restore_orders\n    \
                uses: rds.restore_to_point_in_time\n    with: { source: shop-orders, \
                restore_time: \"2026-03-01T10:15:00Z\" }\n  - id: verify_orders\n    \
                uses: sql.check\n    needs: [restore_orders]\n    with: { instance: \
                shop-orders-new }\n  - id: restore_users\n    uses: \
                rds.restore_to_point_in_time\n    with: { source: shop-users, \
                restore_time: \"2026-03-01T10:15:00Z\" }\n  - id: verify_users\n    \
                uses: sql.check\n    needs: [restore_users]\n    with: { instance: \
                shop-users-new }\n",
        mended: "measure: { recovered: [verify_orders, verify_users] }\nsteps:\n  - id: \
                restore_orders\n    uses: rds.restore_to_point_in_time\n    with: { \
                source: shop-orders, restore_time: \"2026-03-01T10:15:00Z\" }\n  - id: \
                verify_orders\n    uses: sql.check\n    needs: [restore_orders]\n    \
                with: { instance: shop-orders-new }\n  - id: restore_users\n    uses: \
                rds.restore_to_point_in_time\n    with: { source: shop-users, \
                restore_time: \"2026-03-01T10:15:00Z\" }\n  - id: verify_users\n    \
                uses: sql.check\n    needs: [restore_users]\n    with: { instance: \
                shop-users-new }\n",
    },
    Entry {
        code: codes::PAST_GATE,
        meaning: "A step needs a `gate.approve`, changes something, and is `always`: it runs whatever \
                  became of the steps that it needs, so it runs after a rejection too. Only what \
                  cleans up is meant to do that: it says `phase: cleanup`, or takes back what the \
                  run made.",
        why: "Who rejects believes that nothing more is changed.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: decide\n    uses: gate.approve\n    timeout: 30m\n    with: { message: \
                Restore the orders? }\n  - id: restore\n    uses: rds.restore_to_point_in_time\n    \
                needs: [decide]\n    always: true\n    with: { source: shop-orders, restore_time: \
                \"2026-03-01T10:15:00Z\" }\n  - id: verify\n    uses: sql.check\n    needs: \
                [restore]\n    with: { instance: shop-orders }\n",
        mended: "steps:\n  - id: decide\n    uses: gate.approve\n    timeout: 30m\n    with: { message: \
                 Restore the orders? }\n  - id: restore\n    uses: rds.restore_to_point_in_time\n    \
                 needs: [decide]\n    with: { source: shop-orders, restore_time: \
                 \"2026-03-01T10:15:00Z\" }\n  - id: verify\n    uses: sql.check\n    needs: \
                 [restore]\n    with: { instance: shop-orders }\n",
    },
    Entry {
        code: codes::MAYBE_DISCLOSED,
        meaning: "A variable of a program, or a parameter in the query of an address, has a name like \
                  `DB_PASSWORD` or `api_key`, and its value is written in the file. Pass a variable on \
                  with `env`, send a key as a header with `headers_from`.",
        why: "Runbooks are read by many, kept in repositories, and embedded in the journal of every run.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: health\n    uses: http.check\n    with: { url: \
                \"https://shop.example/health?api_key=k1\" }\n",
        mended: "steps:\n  - id: health\n    uses: http.check\n    with: { url: \
                 \"https://shop.example/health\", headers_from: { X-Api-Key: SHOP_KEY } }\n",
    },
];
