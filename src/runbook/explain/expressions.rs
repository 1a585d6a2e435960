//! Codes of expressions.
//!
//! **Invariant:** see the parent.

use crate::runbook::codes;
use crate::runbook::explain::{Document, Entry};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: codes::SYNTAX,
        meaning: "The text in `${{ … }}` or in `when` is no expression: something is missing, or there \
                  is a sign that the language does not have.",
        why: "Expressions decide what is restored, and when: nothing in them is guessed.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    when: env.name ==\n    with: { \
                instance: shop-orders }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    when: env.name == 'sim'\n    \
                 with: { instance: shop-orders }\n",
    },
    Entry {
        code: codes::UNKNOWN_NAME,
        meaning: "Names begin with params, steps, estate, env or run, and go on with what there is: a \
                  declared parameter, a step of this runbook, an output of its action.",
        why: "A name that stands for nothing would be found out when the step runs, in the middle of \
              a recovery.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    when: env.nme == 'sim'\n    \
                with: { instance: shop-orders }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    when: env.name == 'sim'\n    \
                 with: { instance: shop-orders }\n",
    },
    Entry {
        code: codes::NOT_UPSTREAM,
        meaning: "A step can use the outputs of the steps that it needs, directly or through others. \
                  This one is not among them.",
        why: "Steps that do not need each other run side by side: the output may not be there yet.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: shop-orders \
                }\n  - id: verify\n    uses: sql.check\n    with: { instance: \"${{ \
                steps.check.outputs.instance }}\" }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: \
                 shop-orders }\n  - id: verify\n    uses: sql.check\n    needs: [check]\n    with: { \
                 instance: \"${{ steps.check.outputs.instance }}\" }\n",
    },
    Entry {
        code: codes::EXPANDED,
        meaning: "A step with `for_each` becomes many steps, each with outputs of its own. Only a step \
                  with the very same `for_each` can refer to it: item by item.",
        why: "There would be many values where one is needed.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    for_each: [orders, users]\n    \
                with: { instance: \"${{ each }}\" }\n  - id: verify\n    uses: sql.check\n    needs: \
                [check]\n    with: { instance: \"${{ steps.check.outputs.instance }}\" }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    for_each: [orders, \
                 users]\n    with: { instance: \"${{ each }}\" }\n  - id: verify\n    uses: \
                 sql.check\n    for_each: [orders, users]\n    needs: [check]\n    with: { instance: \
                 \"${{ steps.check.outputs.instance }}\" }\n",
    },
    Entry {
        code: codes::TYPE,
        meaning: "An operator or a function meets types that it does not take: a comparison of a \
                  number with text, a condition that is neither true nor false.",
        why: "Such a comparison would be false for ever, and the step would be skipped without a word.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    when: size(env.name) > '3'\n    \
                with: { instance: shop-orders }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    when: size(env.name) > 3\n    \
                 with: { instance: shop-orders }\n",
    },
    Entry {
        code: codes::INTERPOLATION,
        meaning: "Inside text, an expression must give something that prints: text, a number, a \
                  boolean, an instant, a duration. A list, a map or a secret stands alone, as the \
                  whole value, and keeps its type.",
        why: "A secret inside text would print, and how a list prints is nobody's business to guess.",
        document: Document::Runbook,
        wrong: "parameters: { names: { type: list } }\nsteps:\n  - id: check\n    uses: \
                rds.check_source\n    with: { instance: \"shop-${{ params.names }}\" }\n",
        mended: "parameters: { names: { type: list } }\nsteps:\n  - id: check\n    uses: \
                 rds.check_source\n    for_each: ${{ params.names }}\n    with: { instance: \
                 \"shop-${{ each }}\" }\n",
    },
    Entry {
        code: codes::NOT_HERE,
        meaning: "The name exists, and not at this place: `each` only in a step with `for_each`; \
                  `steps`, `env` and `run` not inside `for_each`.",
        why: "It has no value yet when this is evaluated.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: \"shop-${{ \
                each }}\" }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    for_each: [orders]\n    with: \
                 { instance: \"shop-${{ each }}\" }\n",
    },
    Entry {
        code: codes::ZERO,
        meaning: "The right side of `/` or `%` is a zero that is written there. No number divided by it \
                  has a value.",
        why: "The step would fail each time its expression is evaluated, in the middle of a recovery.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    when: size(env.name) / 0 > \
                3\n    with: { instance: shop-orders }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    when: size(env.name) / 2 > \
                 3\n    with: { instance: shop-orders }\n",
    },
    Entry {
        code: codes::DISCLOSED,
        meaning: "The input takes a secret, and the file holds its value. Name the place where the \
                  secret is instead: an environment variable (`url_from`, `headers_from`), a secret of \
                  Secrets Manager (`url_secret`), or a parameter of type `secret`.",
        why: "Runbooks are read by many, kept in repositories, and embedded in the journal of every run.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: tell\n    uses: notify.webhook\n    irreversible: true\n    with: { \
                url: \"https://hooks.example/T1/B2\", message: done }\n",
        mended: "steps:\n  - id: tell\n    uses: notify.webhook\n    irreversible: true\n    with: { \
                 url_from: CHAT_WEBHOOK, message: done }\n",
    },
];
