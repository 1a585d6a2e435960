//! Codes of steps, their graph, parameters and inputs.
//!
//! **Invariant:** see the parent.

use crate::runbook::codes;
use crate::runbook::explain::{Document, Entry};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: codes::NAME,
        meaning: "Ids of steps and names of parameters begin with a small letter and go on with small \
                  letters, digits and `_`, 31 characters at most. Names of documents may also have \
                  `-`, and 63 characters.",
        why: "Expressions, file names, tags and AWS identifiers are made of them.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: Check-Source\n    uses: rds.check_source\n    with: { instance: \
                shop-orders }\n",
        mended: "steps:\n  - id: check_source\n    uses: rds.check_source\n    with: { instance: \
                 shop-orders }\n",
    },
    Entry {
        code: codes::DUPLICATE_STEP,
        meaning: "An id names one step. The message says where the first one is.",
        why: "`needs` and expressions could mean either of them.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: shop-orders \
                }\n  - id: check\n    uses: rds.check_source\n    with: { instance: shop-users }\n",
        mended: "steps:\n  - id: check_orders\n    uses: rds.check_source\n    with: { instance: \
                 shop-orders }\n  - id: check_users\n    uses: rds.check_source\n    with: { \
                 instance: shop-users }\n",
    },
    Entry {
        code: codes::UNKNOWN_ACTION,
        meaning: "`uses` names an action of drctl's catalogue, such as `rds.check_source`. There is \
                  none of this name.",
        why: "A step that nobody can perform stops a recovery half-way.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.chek_source\n    with: { instance: shop-orders \
                }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: \
                 shop-orders }\n",
    },
    Entry {
        code: codes::NEEDS,
        meaning: "`needs` lists the steps that must have ended before this one begins: other steps of \
                  the same runbook, each once.",
        why: "A step that waits for nothing begins at once, before what it depends on exists.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: shop-orders \
                }\n  - id: verify\n    uses: sql.check\n    needs: [chek]\n    with: { instance: \
                shop-orders }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: \
                 shop-orders }\n  - id: verify\n    uses: sql.check\n    needs: [check]\n    with: { \
                 instance: shop-orders }\n",
    },
    Entry {
        code: codes::CYCLE,
        meaning: "Following `needs` from a step leads back to it. The message shows the way.",
        why: "Each of these steps would wait for the others for ever.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    needs: [verify]\n    with: { \
                instance: shop-orders }\n  - id: verify\n    uses: sql.check\n    needs: \
                [check]\n    with: { instance: shop-orders }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: \
                 shop-orders }\n  - id: verify\n    uses: sql.check\n    needs: [check]\n    with: { \
                 instance: shop-orders }\n",
    },
    Entry {
        code: codes::NOT_EXECUTABLE,
        meaning: "The language has this field, and this version of drctl cannot carry out what it \
                  says. The help names another way.",
        why: "A field that is understood and then ignored is a promise that is not kept.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    undo: none\n    with: { \
                instance: shop-orders }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: \
                 shop-orders }\n",
    },
    Entry {
        code: codes::PARAMETER,
        meaning: "The declaration contradicts itself: a default of another type or that is not among \
                  the choices, a required parameter with a default, a secret in the file.",
        why: "It would fail, or do something unexpected, on the first run that relies on it.",
        document: Document::Runbook,
        wrong: "parameters:\n  instance: { type: string, required: true, default: shop-orders \
                }\nsteps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: \"${{ \
                params.instance }}\" }\n",
        mended: "parameters:\n  instance: { type: string, default: shop-orders }\nsteps:\n  - id: \
                 check\n    uses: rds.check_source\n    with: { instance: \"${{ params.instance \
                 }}\" }\n",
    },
    Entry {
        code: codes::MEASURE,
        meaning: "`measure` names the steps that figures are taken from. This one does not exist, is \
                  named twice, or its action does not give what is measured. A step with `for_each` \
                  stands for all that it is expanded to.",
        why: "The report would have no recovery time or recovery point, and say so only after the \
              drill.",
        document: Document::Runbook,
        wrong: "measure: { recovered: verfy }\nsteps:\n  - id: verify\n    uses: sql.check\n    \
                with: { instance: shop-orders }\n",
        mended: "measure: { recovered: verify }\nsteps:\n  - id: verify\n    uses: sql.check\n    \
                 with: { instance: shop-orders }\n",
    },
    Entry {
        code: codes::FOR_EACH,
        meaning: "`for_each` makes one step of every item. Items are text or whole numbers, none of \
                  them twice, and known when the plan is made.",
        why: "Each step's name holds its item, and a plan lists all steps before anything runs.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    for_each: [orders, \
                orders]\n    with: { instance: \"${{ each }}\" }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    for_each: [orders, \
                 users]\n    with: { instance: \"${{ each }}\" }\n",
    },
    Entry {
        code: codes::UNKNOWN_INPUT,
        meaning: "The action has no input of this name. The help names the nearest one, or all.",
        why: "A setting that is misspelt and ignored comes up as the service's default.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: \
                shop-orders, restor_time: latest }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: \
                 shop-orders, restore_time: latest }\n",
    },
    Entry {
        code: codes::MISSING_INPUT,
        meaning: "The action cannot do without this input. The help says what it is.",
        why: "The step would fail, when it runs and not before.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: \
                 shop-orders }\n",
    },
    Entry {
        code: codes::INPUT_TYPE,
        meaning: "The value, or the result of the expression, has another type than the input.",
        why: "drctl does not turn one into the other silently: `5` minutes and `5` seconds look the \
              same.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: \
                [shop-orders] }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: \
                 shop-orders }\n",
    },
    Entry {
        code: codes::RANGE,
        meaning: "A number or a duration is too small or too large, or a list is too long.",
        why: "A time-out of nothing fails every time; a limit that is named is better than a machine \
              that runs out of memory.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    timeout: 0s\n    with: { \
                instance: shop-orders }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    timeout: 30s\n    with: { \
                 instance: shop-orders }\n",
    },
];
