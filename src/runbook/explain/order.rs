//! Codes of `drctl runbook lint`: the order of steps.
//!
//! **Invariant:** see the parent.

use crate::runbook::codes;
use crate::runbook::explain::{Document, Entry};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: codes::EARLY_SWITCH,
        meaning: "A step that sends clients somewhere else (DNS, weights, the host in a secret) \
                  can run before the promotion: nothing keeps it back but `needs`. The safe order \
                  is fence, promote, check, switch. TechCorp's own document has the other one: \
                  DNS first, then promotion; shipped runbooks do not follow it.",
        why: "Until the promotion has ended, which takes minutes, every write goes to a read-only \
              database and fails, and names cannot be taken back faster than their time to live.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: fence\n    uses: fence.ecs\n    with: { cluster: techcorp, \
                service: api }\n  - id: go\n    uses: gate.approve\n    needs: [fence]\n    \
                timeout: 30m\n    with: { message: Promote?, before: [promote] }\n  - id: switch\n    \
                uses: secrets.switch_endpoint\n    needs: [fence]\n    with: { secret: \
                techcorp/orders-west, host: db.techcorp.example }\n  - id: promote\n    uses: \
                rds.promote_replica\n    needs: [go]\n    irreversible: true\n    with: { \
                instance: techcorp-orders-replica-west }\n  - id: verify\n    uses: \
                rds.check_source\n    needs: [promote, switch]\n    with: { instance: \
                techcorp-orders-replica-west }\n",
        mended: "steps:\n  - id: fence\n    uses: fence.ecs\n    with: { cluster: techcorp, \
                 service: api }\n  - id: go\n    uses: gate.approve\n    needs: [fence]\n    \
                 timeout: 30m\n    with: { message: Promote?, before: [promote] }\n  - id: \
                 promote\n    uses: rds.promote_replica\n    needs: [go]\n    irreversible: true\n    \
                 with: { instance: techcorp-orders-replica-west }\n  - id: switch\n    uses: \
                 secrets.switch_endpoint\n    needs: [promote]\n    with: { secret: \
                 techcorp/orders-west, host: db.techcorp.example }\n  - id: verify\n    uses: \
                 rds.check_source\n    needs: [switch]\n    with: { instance: \
                 techcorp-orders-replica-west }\n",
    },
    Entry {
        code: codes::UNFENCED,
        meaning: "A replica is promoted, and nothing upstream keeps the old writer from writing \
                  (`fence.…`), nor does anybody attest that it is gone (a gate with `attests: \
                  fencing`).",
        why: "Two writers at once are the one mistake that no later step repairs: two histories, \
              and nobody knows which orders are true.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: go\n    uses: gate.approve\n    timeout: 30m\n    with: { \
                message: Promote?, before: [promote] }\n  - id: promote\n    uses: \
                rds.promote_replica\n    needs: [go]\n    irreversible: true\n    with: { \
                instance: techcorp-orders-replica-west }\n  - id: verify\n    uses: \
                rds.check_source\n    needs: [promote]\n    with: { instance: \
                techcorp-orders-replica-west }\n",
        mended: "steps:\n  - id: fence\n    uses: fence.ecs\n    with: { cluster: techcorp, \
                 service: api }\n  - id: go\n    uses: gate.approve\n    needs: [fence]\n    \
                 timeout: 30m\n    with: { message: Promote?, before: [promote] }\n  - id: \
                 promote\n    uses: rds.promote_replica\n    needs: [go]\n    irreversible: true\n    \
                 with: { instance: techcorp-orders-replica-west }\n  - id: verify\n    uses: \
                 rds.check_source\n    needs: [promote]\n    with: { instance: \
                 techcorp-orders-replica-west }\n",
    },
    Entry {
        code: codes::NO_POINT_OF_NO_RETURN,
        meaning: "A step that cannot be undone has no gate upstream that stands before it \
                  (`gate.approve` with `before` naming the step). Such a gate shows, live, what \
                  would be lost now, what is fenced and what can still be undone, and journals \
                  the figures with the approval. A failover between zones and a rotation of \
                  passwords cost no data and need none.",
        why: "Who approves has to see the price at the moment of paying.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: fence\n    uses: fence.ecs\n    with: { cluster: techcorp, \
                service: api }\n  - id: promote\n    uses: rds.promote_replica\n    needs: \
                [fence]\n    irreversible: true\n    with: { instance: \
                techcorp-orders-replica-west }\n  - id: verify\n    uses: rds.check_source\n    \
                needs: [promote]\n    with: { instance: techcorp-orders-replica-west }\n",
        mended: "steps:\n  - id: fence\n    uses: fence.ecs\n    with: { cluster: techcorp, \
                 service: api }\n  - id: go\n    uses: gate.approve\n    needs: [fence]\n    \
                 timeout: 30m\n    with: { message: Promote?, before: [promote] }\n  - id: \
                 promote\n    uses: rds.promote_replica\n    needs: [go]\n    irreversible: true\n    \
                 with: { instance: techcorp-orders-replica-west }\n  - id: verify\n    uses: \
                 rds.check_source\n    needs: [promote]\n    with: { instance: \
                 techcorp-orders-replica-west }\n",
    },
    Entry {
        code: codes::TWO_PROMOTIONS,
        meaning: "Two promotions have no order between them and no condition. Replicas of one \
                  source become two writers then.",
        why: "Each of them looks right by itself.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: fence\n    uses: fence.ecs\n    with: { cluster: techcorp, \
                service: api }\n  - id: go\n    uses: gate.approve\n    needs: [fence]\n    \
                timeout: 30m\n    with: { message: Promote?, before: [promote, also] }\n  - id: \
                promote\n    uses: rds.promote_replica\n    needs: [go]\n    irreversible: true\n    \
                with: { instance: techcorp-orders-replica-west }\n  - id: also\n    uses: \
                rds.promote_replica\n    needs: [go]\n    irreversible: true\n    with: { \
                instance: techcorp-orders-replica-1 }\n  - id: verify\n    uses: \
                rds.check_source\n    needs: [promote, also]\n    with: { instance: \
                techcorp-orders-replica-west }\n",
        mended: "steps:\n  - id: fence\n    uses: fence.ecs\n    with: { cluster: techcorp, \
                 service: api }\n  - id: go\n    uses: gate.approve\n    needs: [fence]\n    \
                 timeout: 30m\n    with: { message: Promote?, before: [promote, also] }\n  - id: \
                 promote\n    uses: rds.promote_replica\n    needs: [go]\n    irreversible: true\n    \
                 with: { instance: techcorp-orders-replica-west }\n  - id: also\n    uses: \
                 rds.promote_replica\n    needs: [promote]\n    irreversible: true\n    with: { \
                 instance: techcorp-orders-replica-1 }\n  - id: verify\n    uses: \
                 rds.check_source\n    needs: [also]\n    with: { instance: \
                 techcorp-orders-replica-west }\n",
    },
];
