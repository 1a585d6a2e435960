//! `drctl s3 compare` and `s3.compare` in a simulated environment: buckets by their keys in the estate.
//!
//! **Invariant:** what the world's rules, copies and failures are is what the classes say.

use crate::env::TestEnv;

const ESTATE: &str = r#"apiVersion: drctl/v1
kind: Estate
name: shop
buckets:
  documents:
    name: shop-documents
    replication:
      - { id: all, to: west, prefix: a/, delete_markers: true }
    objects:
      - { key: a/1.txt, text: one, age: 30d }
      - { key: a/waits.txt, text: y, age: 5h, replicated: pending }
      - { key: a/failed.txt, text: z, age: 1h, replicated: failed }
      - { key: a/before.txt, text: w, age: 40d, replicated: none }
      - { key: b/other.txt, text: v, age: 40d }
  west: { name: shop-documents-west, region: us-west-2 }
  large: { name: shop-large, generated: { keys: 9000, prefix: data/, size: 16B }, replication: [{ id: all, to: copy }] }
  copy: { name: shop-large-copy, region: us-west-2, generated: { mirror_of: large, differs: { missing: 10, changed: 5, extra: 3 } } }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, seed: 3 }
"#;

const RUNBOOK: &str = r#"apiVersion: drctl/v1
kind: Runbook
name: look
title: Look at the copy
steps:
  - id: compare
    title: Compare
    uses: s3.compare
    with: { source: "${{ estate.buckets.documents.name }}", destination: shop-documents-west, prefix: a/, max_recovery_point: 6h }
"#;

fn project() -> TestEnv {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", ESTATE);
    env.write("runbooks/look.yaml", RUNBOOK);
    env
}

#[test]
fn a_simulated_copy_is_judged_by_its_rules() {
    let env = project();
    let line = "s3 compare documents west --estate shop --env sim --format combined";
    let output = env.line(line).expect(10);
    assert_eq!(output.stdout, "+ a/before.txt\n+ a/failed.txt\n+ a/waits.txt\n+ b/other.txt\n");
    output.says(&[
        "before_rule",
        "failed",
        "pending_old",
        "not_eligible",
        "a/waits.txt is the oldest",
        "(us-west-2)",
    ]);
    let output = env.line(&format!("{line} --max-recovery-point 6h")).expect(10);
    output.says(&["5h00m, promised 6h00m"]);
    env.line(&format!("{line} --max-recovery-point 4h")).expect(11);
    env.line("s3 compare documents nowhere --estate shop --env sim")
        .expect(2)
        .says(&["there is no bucket `nowhere`"]);
    env.line("s3 compare documents west --estate shop --env nowhere")
        .expect(2)
        .says(&["no environment `nowhere`"]);
}

#[test]
fn a_bucket_of_many_keys_is_compared_whole() {
    let env = project();
    let output =
        env.line("s3 compare large copy --estate shop --env sim --output json").expect(10).json();
    let classes = &output["classes"];
    let count = |class: &str| classes[class].as_u64().expect("a number");
    assert_eq!((count("different"), count("extra")), (5, 3), "{classes}");
    let missing = count("missing") + count("before_rule") + count("pending_old") + count("failed");
    assert_eq!(missing, 10, "{classes}");
    assert_eq!(output["source"]["keys"], 9_000);
}

#[test]
fn a_step_of_a_runbook_compares() {
    let env = project();
    let output = env.line("run look --estate shop --env sim --yes").expect(0);
    let told = format!("{}{}", output.stdout, output.stderr);
    assert!(told.contains("1 pending_old"), "{told}");
    env.write("runbooks/look.yaml", &RUNBOOK.replace("6h", "4h"));
    env.line("run look --estate shop --env sim --yes").expect(10).says(&["allowed are 4h00m"]);
}
