//! Codes of files as a whole, of fields, of estates and of drills.
//!
//! **Invariant:** see the parent.

use crate::runbook::codes;
use crate::runbook::explain::{Document, Entry};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: "DR001",
        meaning: "The text is not one well-formed YAML document: a bracket or a quote is not closed, \
                  the indentation does not fit, a key stands twice, or the file holds more nesting, \
                  aliases or nodes than any real file needs.",
        why: "What cannot be read cannot be checked, and a runbook that was half understood is worse \
              than none.",
        document: Document::File,
        wrong: "apiVersion: drctl/v1\nkind: Runbook\nname: example\nsteps: [{ id: check, uses: \
                rds.check_source, with: { instance: shop-orders } }\n",
        mended: "apiVersion: drctl/v1\nkind: Runbook\nname: example\nsteps: [{ id: check, uses: \
                 rds.check_source, with: { instance: shop-orders } }]\n",
    },
    Entry {
        code: "DR002",
        meaning: "Something that has fields of its own was given as a plain value or a list.",
        why: "drctl does not guess which field a lone value was meant for.",
        document: Document::Runbook,
        wrong: "measure: check\nsteps:\n  - id: check\n    uses: rds.check_source\n    with: { \
                instance: shop-orders }\n",
        mended: "measure: { recovered: check }\nsteps:\n  - id: check\n    uses: \
                 rds.check_source\n    with: { instance: shop-orders }\n",
    },
    Entry {
        code: "DR003",
        meaning: "A field that cannot be left out is missing. The message names it.",
        why: "Without it there is nothing sensible to do: a step without `uses` does nothing.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    with: { instance: shop-orders }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: \
                 shop-orders }\n",
    },
    Entry {
        code: "DR004",
        meaning: "A field holds a value of another type than it needs: a number where a duration is \
                  needed, text where a list is, a word that is none of the possible ones.",
        why: "A unit that is guessed wrong makes a time-out of five minutes one of five seconds.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    timeout: 5\n    with: { \
                instance: shop-orders }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    timeout: 5m\n    with: { \
                 instance: shop-orders }\n",
    },
    Entry {
        code: "DR005",
        meaning: "There is no such field at this place. Most often its name is misspelt or it is \
                  indented too far or too little.",
        why: "A misspelt `timeout` that is ignored is a step without a time-out, and nobody notices \
              before the day it matters.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    timeot: 5m\n    with: { \
                instance: shop-orders }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    timeout: 5m\n    with: { \
                 instance: shop-orders }\n",
    },
    Entry {
        code: "DR006",
        meaning: "Every file begins with `apiVersion: drctl/v1` and with its kind: Runbook, Drill, \
                  Estate or Config.",
        why: "The version says which rules the file was written for; another one may mean something \
              else by the same words.",
        document: Document::File,
        wrong: "apiVersion: drctl/v2\nkind: Runbook\nname: example\nsteps:\n  - id: check\n    uses: \
                rds.check_source\n    with: { instance: shop-orders }\n",
        mended: "apiVersion: drctl/v1\nkind: Runbook\nname: example\nsteps:\n  - id: check\n    \
                 uses: rds.check_source\n    with: { instance: shop-orders }\n",
    },
    Entry {
        code: "DR007",
        meaning: "`account` of an environment is the AWS account id: twelve digits, in quotes.",
        why: "Before anything runs, drctl proves that the credentials belong to this account. \
              Without quotes, YAML reads a number and loses leading zeros.",
        document: Document::Estate,
        wrong: "environments:\n  prod: { type: aws, account: \"12345\", region: us-east-1 }\n",
        mended: "environments:\n  prod: { type: aws, account: \"123456789012\", region: us-east-1 \
                 }\n",
    },
    Entry {
        code: "DR008",
        meaning: "An endpoint of an environment is an address that begins with http:// or https://.",
        why: "Requests must not go to a place that was guessed.",
        document: Document::Estate,
        wrong: "environments:\n  local:\n    type: endpoints\n    account: \"123456789012\"\n    \
                region: us-east-1\n    endpoints: { rds: \"localhost:4566\" }\n",
        mended: "environments:\n  local:\n    type: endpoints\n    account: \"123456789012\"\n    \
                 region: us-east-1\n    endpoints: { rds: \"http://localhost:4566\" }\n",
    },
    Entry {
        code: "DR009",
        meaning: "The file is not read at all: it is larger than any real one, is a directory, a pipe \
                  or a device, is not UTF-8 text, or holds a NUL character. (The wrong example has \
                  one before its end.)",
        why: "A tool that is trusted with production stays quick and small whatever it is given.",
        document: Document::File,
        wrong: "apiVersion: drctl/v1\nkind: Runbook\nname: example\0\n",
        mended: "apiVersion: drctl/v1\nkind: Runbook\nname: example\nsteps:\n  - id: check\n    \
                 uses: rds.check_source\n    with: { instance: shop-orders }\n",
    },
    Entry {
        code: codes::SCHEDULE,
        meaning: "A schedule has five fields in UTC: minute, hour, day of the month, month, day of the \
                  week.",
        why: "A drill that is believed to run every month and never does is a promise that nobody \
              checks.",
        document: Document::Drill,
        wrong: "runbook: restore-db\nestate: techcorp\nparameters: { database: orders }\nschedule: \
                monthly\n",
        mended: "runbook: restore-db\nestate: techcorp\nparameters: { database: orders \
                 }\nschedule: \"0 6 1 * *\"\n",
    },
    Entry {
        code: codes::DRILL_PARAMETER,
        meaning: "A drill file gives a parameter that its runbook does not declare, a value of \
                  another type than the declared one, or one that is not among the choices.",
        why: "A drill proves something about one database; a value that is read as something else \
              proves it about another, or about none.",
        document: Document::Drill,
        wrong: "runbook: restore-db\nestate: techcorp\nparameters: { database: [orders] }\n",
        mended: "runbook: restore-db\nestate: techcorp\nparameters: { database: orders }\n",
    },
    Entry {
        code: codes::DRILL_REFERENCE,
        meaning: "A drill file names a runbook or an estate that does not exist or has errors of its \
                  own, or an environment that its estate does not have.",
        why: "Such a drill cannot start, and on the day on which it is wanted is a bad time to learn \
              that.",
        document: Document::Drill,
        wrong: "runbook: restore-db\nestate: techcorp\nenvironment: simm\nparameters: { database: \
                orders }\n",
        mended: "runbook: restore-db\nestate: techcorp\nenvironment: sim\nparameters: { database: \
                 orders }\n",
    },
    Entry {
        code: codes::FILE_NAME,
        meaning: "Commands and other documents find a runbook, a drill or an estate by the name of \
                  its file, and reports show its `name`: the two are the same. (The examples stand \
                  in `runbooks/example.yaml`.)",
        why: "With two names for one thing, somebody runs one and reads the report of another.",
        document: Document::File,
        wrong: "apiVersion: drctl/v1\nkind: Runbook\nname: exmaple\nsteps:\n  - id: check\n    \
                uses: rds.check_source\n    with: { instance: shop-orders }\n",
        mended: "apiVersion: drctl/v1\nkind: Runbook\nname: example\nsteps:\n  - id: check\n    \
                 uses: rds.check_source\n    with: { instance: shop-orders }\n",
    },
];
