//! Codes of `drctl runbook lint`: places, and what is lost with a region.
//!
//! **Invariant:** see the parent. The examples are judged with the shipped estate `techcorp`, in an
//! environment at home in us-west-2 with a journal in us-east-1.

use crate::runbook::codes;
use crate::runbook::explain::{Document, Entry};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: codes::REGION_NOT_ALLOWED,
        meaning: "A step acts in a region that is neither the environment's own nor among its \
                  `allowed_regions`. `drctl runbook lint` finds it in the files; a plan says that \
                  the step will not run, and no call is sent.",
        why: "Where data may be is a promise to customers and auditors, and often law. It is kept \
              by the tool and not by care.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: check\n    uses: rds.check_source\n    region: sa-east-1\n    \
                with: { instance: techcorp-orders }\n",
        mended: "steps:\n  - id: check\n    uses: rds.check_source\n    region: us-west-2\n    \
                 with: { instance: techcorp-orders }\n",
    },
    Entry {
        code: codes::DATA_LEAVES,
        meaning: "A step would bring data of a database of the estate to a region that the \
                  database's own `allowed_regions` leave out, under whatever name: its instance, \
                  a snapshot of it, a copy that drctl made. The example is about a database that \
                  may be in eu-west-1 only.",
        why: "A restore in the wrong region is a leak that looks like a success.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: restore\n    uses: rds.restore_from_snapshot\n    region: \
                us-west-2\n    with: { snapshot: \
                \"arn:aws:rds:eu-west-1:123456789012:snapshot:rds:techcorp-europe-2026-01-15-03-05\", \
                source: techcorp-europe }\n  - id: look\n    uses: rds.check_source\n    region: \
                us-west-2\n    needs: [restore]\n    with: { instance: \"${{ \
                steps.restore.outputs.instance }}\" }\n",
        mended: "steps:\n  - id: restore\n    uses: rds.restore_from_snapshot\n    region: \
                 eu-west-1\n    with: { snapshot: \"rds:techcorp-europe-2026-01-15-03-05\", \
                 source: techcorp-europe }\n  - id: look\n    uses: rds.check_source\n    region: \
                 eu-west-1\n    needs: [restore]\n    with: { instance: \"${{ \
                 steps.restore.outputs.instance }}\" }\n",
    },
    Entry {
        code: codes::UNKNOWN_REGION,
        meaning: "The region of a step hangs on what another step finds. `drctl runbook lint` \
                  cannot say then whether it is allowed, nor whether it may be lost.",
        why: "A path that is decided in the night was never looked at by day.",
        document: Document::Runbook,
        wrong: "steps:\n  - id: source\n    uses: rds.check_source\n    with: { instance: \
                techcorp-orders-replica-west }\n  - id: replica\n    uses: rds.check_source\n    \
                needs: [source]\n    region: ${{ steps.source.outputs.engine_version }}\n    \
                with: { instance: techcorp-orders-replica-west }\n",
        mended: "steps:\n  - id: source\n    uses: rds.check_source\n    with: { instance: \
                 techcorp-orders-replica-west }\n  - id: replica\n    uses: rds.check_source\n    \
                 needs: [source]\n    region: ${{ estate.databases.orders_replica_west.region }}\n    \
                 with: { instance: techcorp-orders-replica-west }\n",
    },
    Entry {
        code: codes::LOST_ENDPOINT,
        meaning: "`drctl runbook lint --assume-lost REGION`, or a runbook that says \
                  `assumes_lost`: a step on the way acts in that region, where no endpoint \
                  answers. A step that is left out by its `when` in the ungraceful form is not on \
                  the way.",
        why: "The runbook for a lost region is needed exactly when that region does not answer.",
        document: Document::Runbook,
        wrong: "assumes_lost: us-east-1\nsteps:\n  - id: check\n    uses: rds.check_source\n    \
                region: us-east-1\n    with: { instance: techcorp-orders }\n",
        mended: "assumes_lost: us-east-1\nsteps:\n  - id: check\n    uses: rds.check_source\n    \
                 region: us-west-2\n    with: { instance: techcorp-orders-replica-west }\n",
    },
    Entry {
        code: codes::LOST_SOURCE,
        meaning: "A step acts elsewhere and still needs the lost region: an ARN, a source region \
                  or an endpoint among its inputs is there. Copies and cross-region replicas are \
                  made by reading their source.",
        why: "It fails late, in a region where everything looks well.",
        document: Document::Runbook,
        wrong: "assumes_lost: us-east-1\nsteps:\n  - id: restore\n    uses: \
                rds.restore_from_snapshot\n    with: { snapshot: \
                \"arn:aws:rds:us-east-1:123456789012:snapshot:orders-1\", source: techcorp-orders \
                }\n  - id: look\n    uses: rds.check_source\n    needs: [restore]\n    with: { \
                instance: \"${{ steps.restore.outputs.instance }}\" }\n",
        mended: "assumes_lost: us-east-1\nsteps:\n  - id: restore\n    uses: \
                 rds.restore_from_snapshot\n    with: { snapshot: \
                 \"arn:aws:rds:us-west-2:123456789012:snapshot:orders-1\", source: \
                 techcorp-orders }\n  - id: look\n    uses: rds.check_source\n    needs: \
                 [restore]\n    with: { instance: \"${{ steps.restore.outputs.instance }}\" }\n",
    },
    Entry {
        code: codes::LOST_CONTROL_PLANE,
        meaning: "Route 53 and IAM have one control plane for all regions, in us-east-1: records, \
                  weights and roles are read and changed there, whatever the step's region is. \
                  Resolvers are answered everywhere, health checks go on, and so do sessions of \
                  roles that exist.",
        why: "A runbook that moves DNS by hand fails on the one day for which it was written.",
        document: Document::Runbook,
        wrong: "assumes_lost: us-east-1\nsteps:\n  - id: names\n    uses: route53.check_records\n    \
                with: { zone: Z0TECHCORP0001, name: api.techcorp.example, type: A }\n",
        mended: "assumes_lost: us-east-1\nsteps:\n  - id: names\n    uses: dns.check\n    with: { name: \
                 api.techcorp.example, type: A }\n",
    },
    Entry {
        code: codes::LOST_KEY,
        meaning: "A step uses a KMS key of the lost region. Keys never leave their region; a \
                  multi-Region key has replicas with ARNs of their own.",
        why: "Data whose key cannot be used is as lost as data that is gone.",
        document: Document::Runbook,
        wrong: "assumes_lost: us-east-1\nsteps:\n  - id: tell\n    uses: http.check\n    with: { \
                url: \"https://example.com\", headers: { x-trace: \
                \"arn:aws:kms:us-east-1:123456789012:key/mrk-1\" } }\n",
        mended: "assumes_lost: us-east-1\nsteps:\n  - id: tell\n    uses: http.check\n    with: { \
                 url: \"https://example.com\", headers: { x-trace: \
                 \"arn:aws:kms:us-west-2:123456789012:key/mrk-1\" } }\n",
    },
    Entry {
        code: codes::LOST_SECRET,
        meaning: "A step uses a secret whose home is the lost region, by its ARN, or by a name \
                  that only databases of that region carry in the estate. A replica in another \
                  region can be read, and cannot be changed before `StopReplicationToReplica`.",
        why: "Without its password a promoted database is a locked door.",
        document: Document::Runbook,
        wrong: "assumes_lost: us-east-1\nsteps:\n  - id: verify\n    uses: sql.check\n    with: { \
                instance: techcorp-orders-replica-west, secret: \
                \"arn:aws:secretsmanager:us-east-1:123456789012:secret:techcorp/orders\" }\n",
        mended: "assumes_lost: us-east-1\nsteps:\n  - id: verify\n    uses: sql.check\n    with: \
                 { instance: techcorp-orders-replica-west, secret: techcorp/orders-west }\n",
    },
    Entry {
        code: codes::LOST_SESSION,
        meaning: "The environment is at home in the lost region: GetCallerIdentity and AssumeRole \
                  go to the STS of the environment's `region`, and so does every step that names \
                  none. So does an endpoint of the environment that is there, STS's global one \
                  (us-east-1) included.",
        why: "Nothing at all begins without a session.",
        document: Document::Estate,
        wrong: "environments:\n  dr: { type: simulated, account: \"123456789012\", region: \
                us-east-1 }\n",
        mended: "environments:\n  dr: { type: simulated, account: \"123456789012\", region: \
                 us-west-2 }\n",
    },
    Entry {
        code: codes::LOST_JOURNAL,
        meaning: "The bucket in which the journal is kept is in the lost region, or no file says \
                  where it is. The examples are for a bucket in us-east-1.",
        why: "A run that cannot write its journal stops before its next change.",
        document: Document::Runbook,
        wrong: "assumes_lost: us-east-1\nsteps:\n  - id: orders_journal\n    uses: rds.check_source\n    \
                with: { instance: techcorp-orders-replica-west }\n",
        mended: "assumes_lost: eu-west-1\nsteps:\n  - id: orders_journal\n    uses: rds.check_source\n    \
                 with: { instance: techcorp-orders-replica-west }\n",
    },
    Entry {
        code: codes::LOST_TOPIC,
        meaning: "A message goes to a topic of the lost region, and nobody gets it. The run goes \
                  on: a notice never fails it.",
        why: "Who waits for the message waits in vain.",
        document: Document::Runbook,
        wrong: "assumes_lost: us-east-1\nsteps:\n  - id: tell\n    uses: notify.sns\n    with: { \
                topic: \"arn:aws:sns:us-east-1:123456789012:alerts\", message: We fail over. }\n",
        mended: "assumes_lost: us-east-1\nsteps:\n  - id: tell\n    uses: notify.sns\n    with: { \
                 topic: \"arn:aws:sns:us-west-2:123456789012:alerts\", message: We fail over. }\n",
    },
    Entry {
        code: codes::NOT_PROVEN,
        meaning: "Whether a step needs the lost region hangs on what another step finds, such as its \
                  region.",
        why: "What is not known is not proven, and the proof is asked for.",
        document: Document::Runbook,
        wrong: "assumes_lost: us-east-1\nsteps:\n  - id: source\n    uses: rds.check_source\n    \
                with: { instance: techcorp-orders-replica-west }\n  - id: replica\n    uses: \
                rds.check_source\n    needs: [source]\n    region: ${{ \
                steps.source.outputs.engine_version }}\n    with: { instance: \
                techcorp-orders-replica-west }\n",
        mended: "assumes_lost: us-east-1\nsteps:\n  - id: source\n    uses: rds.check_source\n    \
                 with: { instance: techcorp-orders-replica-west }\n  - id: replica\n    uses: \
                 rds.check_source\n    needs: [source]\n    region: us-west-2\n    with: { \
                 instance: techcorp-orders-replica-west }\n",
    },
    Entry {
        code: codes::SPARED,
        meaning: "A step needs the lost region and says `on_failure: continue`, and no other step \
                  on the way waits for it. It will fail, after its retries and its time-out, and \
                  the run goes on.",
        why: "Named so that nobody is surprised by a red line; its time is lost as well.",
        document: Document::Runbook,
        wrong: "assumes_lost: us-east-1\nsteps:\n  - id: check\n    uses: rds.check_source\n    \
                region: us-east-1\n    on_failure: continue\n    with: { instance: \
                techcorp-orders }\n",
        mended: "assumes_lost: us-east-1\nsteps:\n  - id: check\n    uses: rds.check_source\n    \
                 region: us-west-2\n    on_failure: continue\n    with: { instance: \
                 techcorp-orders-replica-west }\n",
    },
];
