//! `drctl runbook lint --assume-lost` with the shipped estate `techcorp`: a dependency of each kind, planted, and
//! the ways that need nothing.
//!
//! **Invariant:** what is planted is found with its code, its place and the alternative; what is clean is proven.

use crate::env::TestEnv;
use serde_json::Value as Json;

const HEAD: &str = "apiVersion: drctl/v1\nkind: Runbook\nname: planted\ntitle: Planted\nassumes_lost: us-east-1\nsteps:\n";

/// Needs the recovery region and nothing else.
const CLEAN: &str = "  - id: look\n    uses: rds.check_replica\n    region: us-west-2\n    with: { instance: \
                     techcorp-orders-replica-west }\n";

const LINT: &str = "runbook lint planted --estate techcorp --env sim_west";

/// The line on which a planted step begins.
const LINE: usize = 11;

fn planted(env: &TestEnv, step: &str) {
    env.write("runbooks/planted.yaml", &format!("{HEAD}{CLEAN}{step}"));
}

fn findings(env: &TestEnv, line: &str, code: i32) -> Vec<Json> {
    let json = env.line(&format!("{line} --output json")).expect(code).json();
    assert_eq!(json["clean"], code == 0, "{json}");
    json["findings"].as_array().expect("a list").clone()
}

fn text<'a>(finding: &'a Json, field: &str) -> &'a str {
    finding[field].as_str().unwrap_or_default()
}

#[test]
fn the_clean_way_is_proven() {
    let env = TestEnv::new();
    planted(&env, "");
    assert!(findings(&env, LINT, 0).is_empty());
    let proof = env.line(LINT).expect(0);
    proof
        .shows(&["no step of the way needs us-east-1, in sim_west of techcorp: 1 steps looked at"]);
    assert!(!env.state().exists(), "lint leaves nothing behind");
}

/// Kind, step, code, exit code, a part of the message, a part of the alternative.
type Planted = (&'static str, &'static str, &'static str, i32, &'static str, &'static str);

const STEPS: [Planted; 11] = [
    (
        "endpoint",
        "uses: rds.check_source\n    region: us-east-1\n    with: { instance: techcorp-orders }",
        "DR070",
        2,
        "it acts there (rds:DescribeDBInstances)",
        "act in the recovery region",
    ),
    (
        "source region of a copy",
        "uses: rds.copy_snapshot\n    region: us-west-2\n    with: { source_region: us-east-1, snapshot: \
         newest, instance: techcorp-orders }",
        "DR071",
        2,
        "input `source_region` is that region",
        "a replica, a copied snapshot, replicated automated backups",
    ),
    (
        "source of a replica",
        "uses: rds.create_replica\n    region: us-west-2\n    with: { source: \
         \"arn:aws:rds:us-east-1:123456789012:db:techcorp-orders\" }",
        "DR071",
        2,
        "what it uses is there (arn:aws:rds:us-east-1:",
        "a replica, a copied snapshot, replicated automated backups",
    ),
    (
        "Route 53's control plane",
        "uses: route53.shift_weights\n    with: { zone: Z0TECHCORP0001, name: api.techcorp.example, type: A, \
         weights: { west: 100, east: 0 } }",
        "DR072",
        2,
        "is the control plane's, which is there for all regions",
        "let DNS move by itself",
    ),
    (
        "reads of Route 53's control plane",
        "uses: route53.check_records\n    with: { zone: Z0TECHCORP0001, name: api.techcorp.example, type: A }",
        "DR072",
        2,
        "is the control plane's",
        "let DNS move by itself",
    ),
    (
        "metrics of health checks",
        "uses: cloudwatch.watch\n    region: us-west-2\n    with: { for: 5m, health_checks: \
         [11111111-aaaa-4aaa-8aaa-000000000002] }",
        "DR072",
        2,
        "metrics of Route 53's health checks are in us-east-1 only",
        "watch the service in the recovery region",
    ),
    (
        "KMS key",
        "uses: rds.create_replica\n    region: us-west-2\n    with: { source: techcorp-orders-replica-west, \
         kms_key: \"arn:aws:kms:us-east-1:123456789012:key/mrk-1\" }",
        "DR073",
        2,
        "it uses a key of that region",
        "multi-Region key",
    ),
    (
        "secret",
        "uses: secrets.switch_endpoint\n    region: us-west-2\n    with: { host: db.techcorp.example, secret: \
         \"arn:aws:secretsmanager:us-east-1:123456789012:secret:techcorp/orders\" }",
        "DR074",
        2,
        "it uses a secret there",
        "stop-replication-to-replica",
    ),
    (
        "topic",
        "uses: notify.sns\n    with: { message: We move., topic: \
         \"arn:aws:sns:us-east-1:123456789012:techcorp-dr\" }",
        "DR077",
        0,
        "its topic is there",
        "publish to a topic of the recovery region",
    ),
    (
        "region that only the run knows",
        "uses: rds.check_source\n    needs: [look]\n    region: \"${{ steps.look.outputs.instance }}\"\n    \
         with: { instance: techcorp-orders }",
        "DR078",
        2,
        "its region cannot be known before the run",
        "make `region` of parameters",
    ),
    (
        "endpoint that the run goes on without",
        "uses: rds.check_source\n    region: us-east-1\n    on_failure: continue\n    with: { instance: \
         techcorp-orders }",
        "DR079",
        0,
        "the run goes on without it",
        "act in the recovery region",
    ),
];

#[test]
fn a_planted_dependency_of_each_kind_of_step_is_found_with_place_and_alternative() {
    let env = TestEnv::new();
    for (kind, step, code, exit, why, instead) in STEPS {
        planted(&env, &format!("  - id: planted\n    {step}\n"));
        let found = findings(&env, LINT, exit);
        let found: Vec<&Json> = found.iter().filter(|it| it["code"] != "DR051").collect();
        assert_eq!(found.len(), 1, "{kind}: {found:?}");
        let one = found[0];
        assert_eq!(one["code"], code, "{kind}: {one}");
        assert!(text(one, "message").contains("step `planted` needs us-east-1"), "{kind}: {one}");
        assert!(text(one, "message").contains(why), "{kind}: {one}");
        assert!(text(one, "help").contains(instead), "{kind}: {one}");
        assert_eq!(text(one, "file"), "runbooks/planted.yaml", "{kind}");
        let line = one["range"]["start"]["line"].as_u64().expect("a line");
        assert!(line >= LINE as u64, "{kind}: {one}");
        // The same step is no need of a region that it has nothing to do with.
        let other = env.line(&format!("{LINT} --assume-lost ap-south-1"));
        assert!(!other.stdout.contains("needs ap-south-1: it"), "{kind}: {}", other.stdout);
    }
}

#[test]
fn what_a_run_stands_on_in_the_lost_region_is_found() {
    let env = TestEnv::new();
    planted(&env, "");
    // Sessions: the environment's own region, and STS's global endpoint.
    let found = findings(&env, "runbook lint planted --estate techcorp --env sim", 2);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((text(&found[0], "code"), &found[0]["range"]), ("DR075", &Json::Null));
    assert!(text(&found[0], "message").contains("environment `sim` is at home in us-east-1"));
    assert!(text(&found[0], "help").contains("whose `region` is another one"), "{found:?}");
    env.write(
        "estates/far.yaml",
        "apiVersion: drctl/v1\nkind: Estate\nname: far\ndatabases: { o: { instance: \
         techcorp-orders-replica-west } }\nenvironments:\n  global: { type: endpoints, account: \
         \"123456789012\", region: us-west-2, endpoints: { sts: https://sts.amazonaws.com } }\n  \
         regional: { type: endpoints, account: \"123456789012\", region: us-west-2, endpoints: { sts: \
         https://sts.us-west-2.amazonaws.com } }\n",
    );
    let found = findings(&env, "runbook lint planted --estate far --env global", 2);
    assert_eq!(text(&found[0], "code"), "DR075", "{found:?}");
    assert!(text(&found[0], "message").contains("endpoint `sts`"), "{found:?}");
    assert!(findings(&env, "runbook lint planted --estate far --env regional", 0).is_empty());
    // A role is there in all regions, as long as nobody has to change it.
    env.write(
        "estates/far.yaml",
        "apiVersion: drctl/v1\nkind: Estate\nname: far\ndatabases: { o: { instance: \
         techcorp-orders-replica-west } }\nenvironments:\n  prod: { type: aws, account: \
         \"123456789012\", region: us-west-2, role: \"arn:aws:iam::123456789012:role/dr\" }\n",
    );
    let role = env.line("runbook lint planted --estate far --env prod").expect(0);
    role.shows(&["not looked at: arn:aws:iam::123456789012:role/dr must exist already"]);
    // Home of the journal.
    env.write(
        "drctl.yaml",
        "apiVersion: drctl/v1\nkind: Config\njournal: { store: 's3://journals/dr', region: us-east-1 }\n",
    );
    let found = findings(&env, LINT, 2);
    assert_eq!((found.len(), text(&found[0], "code")), (1, "DR076"), "{found:?}");
    assert!(text(&found[0], "message").contains("s3://journals/dr is in us-east-1"), "{found:?}");
    assert!(text(&found[0], "help").contains("a bucket of another region"), "{found:?}");
}

#[test]
fn the_topic_that_progress_is_told_to_is_looked_at() {
    let env = TestEnv::new();
    for (notify, found) in [
        ("topic: \"arn:aws:sns:us-east-1:123456789012:techcorp-dr\"", true),
        ("topic: techcorp-dr, region: us-east-1", true),
        ("topic: techcorp-dr, region: us-west-2", false),
        ("topic: techcorp-dr", false),
    ] {
        let head = HEAD.replace("steps:", &format!("notify: {{ {notify} }}\nsteps:"));
        env.write("runbooks/planted.yaml", &format!("{head}{CLEAN}"));
        let codes = findings(&env, LINT, 0);
        assert_eq!(codes.iter().any(|it| it["code"] == "DR077"), found, "{notify}: {codes:?}");
    }
}

#[test]
fn the_failover_without_its_old_region_is_proven_and_the_ways_that_need_it_are_named() {
    let env = TestEnv::new();
    let west = "--estate techcorp --env sim_west --assume-lost us-east-1";
    let found = findings(&env, &format!("runbook lint region-failover {west}"), 0);
    // What keeps the old region down once it is back needs it, and nothing waits for that.
    let kept = found.iter().all(|it| {
        it["code"] == "DR079" && it["message"].as_str().is_some_and(|it| it.contains("`keep_"))
    });
    assert!(kept && !found.is_empty(), "{found:?}");
    // Through a call as well: its steps are seen one by one, those of the old region are not on the way.
    let out =
        env.line(&format!("runbook lint region-failover {west} --output json")).expect(0).json();
    let way = |key: &str| {
        let steps = out["steps"].as_array().expect("a list");
        steps.iter().find(|it| it["step"] == key).unwrap_or_else(|| panic!("no {key}")).clone()
    };
    assert_eq!(way("declare/tell")["on_the_way"], true);
    assert_eq!(way("fence_database")["on_the_way"], false);
    assert_eq!(way("shift_dns")["on_the_way"], false);
    assert_eq!(way("promote")["region"], "us-west-2");
    // At home in the lost region it is not.
    let home = "runbook lint region-failover --estate techcorp --env sim";
    let codes: Vec<Json> = findings(&env, home, 2);
    assert!(codes.iter().any(|it| it["code"] == "DR075"), "{codes:?}");
    // Who comes home needs home: each step says so, at its call and with the line of its own file.
    let back = findings(&env, &format!("runbook lint region-failback {west}"), 2);
    for (code, step) in [
        ("DR070", "`rebuild`"),
        ("DR070", "`promote`"),
        ("DR072", "`shift_dns`"),
        ("DR070", "`stable[web]`"),
    ] {
        let named = back.iter().any(|it| it["code"] == code && text(it, "message").contains(step));
        assert!(named, "{code} {step}: {back:?}");
    }
    let trip = findings(&env, &format!("runbook lint region-round-trip {west}"), 2);
    let promote = trip.iter().find(|it| text(it, "message").contains("`home/promote`"));
    let promote = promote.unwrap_or_else(|| panic!("{trip:?}"));
    assert!(text(promote, "message").contains("runbooks/region-failback.yaml:"), "{promote}");
    assert!(text(promote, "file").ends_with("runbooks/region-round-trip.yaml"), "{promote}");
    // A call ends with all its steps: what waits for the old region keeps whoever waits for the call.
    let away = trip.iter().filter(|it| text(it, "message").contains("`away/"));
    let kept = away.filter(|it| !text(it, "message").contains("`away/keep_"));
    assert_eq!(kept.count(), 0, "{trip:?}");
}

/// Runbook and what it takes; each with the estate that its drill has.
const SHIPPED: [(&str, &str); 25] = [
    ("alert-response", "--estate secure-app -p service=api -p database=app -p alarm=api_down"),
    ("backup-and-restore", "--estate cloud-platform -p database=platform"),
    ("backup-before-change", "--estate credentialmate -p database=app"),
    (
        "blue-green",
        "--estate techcorp -p zone=public -p record=web_green -p green=web_green -p health_check=web_green \
         -p alarm=web_green_down",
    ),
    ("cross-region-snapshot", "--estate techcorp -p database=orders -p like=orders_replica_west"),
    (
        "deploy-service",
        "--estate cloud-platform -p service=api -p task_definition=cloud-platform-api:63 -p \
         database=platform -p alarm=api_down",
    ),
    ("dr-roles", "--estate techcorp -p role=declare -p question=Now? -p topic=techcorp-dr"),
    ("incident-response", "--estate cloud-platform"),
    ("multi-az-failover", "--estate credentialmate -p database=app"),
    ("pitr-hand-over", "--estate secure-app"),
    ("region-failback", "--estate techcorp"),
    ("region-failover", "--estate techcorp --env sim_west"),
    ("region-round-trip", "--estate techcorp"),
    ("restore-db", "--estate techcorp -p database=orders"),
    ("retention-audit", "--estate cloud-platform -p database=platform -p days=30"),
    ("rotate-secret", "--estate cloud-platform -p database=platform -p services=api,worker"),
    (
        "s3-accidental-deletion",
        "--estate tax-practice -p bucket=documents -p prefix=clients/0001/ -p before=2026-01-15T08:45:00Z",
    ),
    ("s3-canary", "--estate techcorp -p source=customer_data -p destination=customer_data_west"),
    (
        "s3-replication-check",
        "--estate tax-practice -p source=documents -p destination=documents_copy",
    ),
    (
        "s3-rollback",
        "--estate credentialmate -p bucket=credentialmate-documents -p to=2026-01-15T08:45:00Z",
    ),
    (
        "scale-service",
        "--estate cloud-platform -p services=api,worker -p to=200% -p database=platform",
    ),
    ("service-rollback", "--estate cloud-platform -p services=api,worker,web"),
    ("snapshot-export-check", "--estate cloud-platform -p export=platform"),
    (
        "terraform-state-recovery",
        "--estate tax-practice -p key=production/terraform.tfstate -p before=2026-01-15T08:45:00Z",
    ),
    ("verify-snapshot", "--estate techcorp -p database=orders"),
];

#[test]
fn every_shipped_runbook_is_in_order_and_stays_where_its_data_may_be() {
    let env = TestEnv::new();
    let list = env.line("runbook list --output json").expect(0).json();
    let names: Vec<&str> =
        list["runbooks"].as_array().expect("a list").iter().map(|it| text(it, "name")).collect();
    let here: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, here);
    for (name, given) in SHIPPED {
        let out = env.line(&format!("runbook lint {name} {given}"));
        assert_eq!(out.code, 0, "{name}: {}{}", out.stdout, out.stderr);
    }
}

#[test]
fn the_order_of_techcorps_own_document_is_reported() {
    // Its document moves DNS, then promotes.
    let env = TestEnv::new();
    let dns = |needs: &str| {
        format!(
            "  - id: dns\n    uses: route53.shift_weights\n    needs: [{needs}]\n    with: {{ zone: \
             Z0TECHCORP0001, name: api.techcorp.example, type: A, weights: {{ west: 100, east: 0 }} }}\n"
        )
    };
    let fence =
        "  - id: fence\n    uses: fence.ecs\n    with: { cluster: techcorp, service: api }\n";
    let promote = |needs: &str| {
        format!(
            "  - id: go\n    uses: gate.approve\n    needs: [{needs}]\n    timeout: 30m\n    with: {{ message: \
             Promote?, before: [promote] }}\n  - id: promote\n    uses: rds.promote_replica\n    needs: \
             [go]\n    region: us-west-2\n    irreversible: true\n    with: {{ instance: \
             techcorp-orders-replica-west }}\n"
        )
    };
    let head = HEAD.replace("assumes_lost: us-east-1\n", "").replace("planted", "document");
    let line = "runbook lint document --estate techcorp --env sim";
    let text = format!("{head}{fence}{}{}", dns("fence"), promote("dns"));
    env.write("runbooks/document.yaml", &text);
    let found = env.line(line).expect(2);
    found.shows(&[
        "error[DR060]",
        "step `dns` can run before `promote`",
        "fence, promote, check, switch",
    ]);
    let check = "  - id: verify\n    uses: rds.check_source\n    region: us-west-2\n    needs: [dns]\n    \
                 with: { instance: techcorp-orders-replica-west }\n";
    let text = format!("{head}{fence}{}{}{check}", promote("fence"), dns("promote"));
    env.write("runbooks/document.yaml", &text);
    let safe = env.line(line).expect(0);
    safe.shows(&["nothing found"]);
}
