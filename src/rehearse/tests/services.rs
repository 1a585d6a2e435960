//! Runs over ECS services: fenced, scaled, rolled back, redeployed, their logs preserved.
//!
//! **Invariant:** killed at whatever instant, each service is what the runbook says once the run has ended,
//! and no task definition is gone back from twice.

use super::matrix::matrix;
use super::stage;
use crate::rehearse::{Keep, Mode, Scenario, Stage, play};
use crate::runbook::load_drill;

const ESTATE: &str = r#"apiVersion: drctl/v1
kind: Estate
name: shop
services:
  api: { cluster: shop, task_definition: "api:42", desired: 4 }
  web: { cluster: shop, task_definition: "web:7", desired: 2 }
  west: { cluster: shop, service: api, task_definition: "api:42", region: us-west-2, desired: 1 }
log_groups: { api: { name: /ecs/api } }
environments:
  sim:
    type: simulated
    account: "123456789012"
    region: us-east-1
    allowed_regions: [us-west-2]
    buckets: [evidence]
"#;

const RUNBOOK: &str = r#"apiVersion: drctl/v1
kind: Runbook
name: services
title: Services
steps:
  - id: fence
    for_each: [api, web]
    uses: fence.ecs
    with: { cluster: "${{ estate.services[each].cluster }}", service: "${{ estate.services[each].service }}" }
  - id: grow
    uses: ecs.scale
    needs: [fence]
    region: us-west-2
    with: { cluster: shop, service: api, to: "300%" }
  - id: rolled
    uses: ecs.rollback
    needs: [grow]
    region: us-west-2
    with: { cluster: shop, service: api }
  - id: again
    uses: ecs.redeploy
    needs: [rolled]
    region: us-west-2
    with: { cluster: shop, service: api }
  - id: rest
    uses: ecs.wait_stable
    needs: [again]
    region: us-west-2
    with: { cluster: shop, service: api, task_definition: "${{ steps.rolled.outputs.task_definition }}" }
  - id: logs
    for_each: ${{ keys(estate.log_groups) }}
    uses: logs.preserve
    with: { log_group: "${{ estate.log_groups[each].name }}", bucket: evidence }
"#;

const DRILL: &str = "apiVersion: drctl/v1\nkind: Drill\nname: services\nrunbook: services\nestate: shop\nenvironment: sim\n";

fn services() -> Stage {
    let estate = crate::estate::load("shop", ESTATE).expect("a valid estate");
    stage(estate, RUNBOOK, &load_drill("drill", DRILL).expect("a valid drill"), Mode::Kept)
}

/// Operations and targets, in order.
fn calls(stage: &Stage, name: &str) -> Vec<String> {
    let scenario: Scenario = name.parse().expect(name);
    let log = play(stage, &scenario, Keep::Nothing).world.mutations();
    log.into_iter().map(|it| format!("{} {} {}", it.operation, it.target, it.effect)).collect()
}

#[test]
fn each_service_is_changed_once_and_ends_as_the_runbook_says() {
    let stage = services();
    let whole = play(&stage, &Scenario::clean(Mode::Kept), Keep::Nothing);
    let shown = whole.world.state_json()["services"].clone();
    let of = |place: &str| {
        let found = &shown[place];
        (found["desired"].as_u64(), found["task_definition"].as_str().map(str::to_owned))
    };
    assert_eq!(of("us-east-1/shop/api"), (Some(0), Some("api:42".to_owned())), "{shown}");
    assert_eq!(of("us-east-1/shop/web").0, Some(0));
    assert_eq!(of("us-west-2/shop/api"), (Some(3), Some("api:41".to_owned())));
    let calls = calls(&stage, "kept");
    assert_eq!(calls.len(), 6, "{calls:#?}");
    assert_eq!(calls.iter().filter(|call| call.contains("new deployment of api:41")).count(), 2);
}

#[test]
fn a_run_over_services_that_is_killed_ends_as_if_nothing_had_happened() {
    let stage = services();
    matrix(&stage, "kept", "succeeded", (40, 15));
    let worse = "kept+stale-read=60s+lost-answer=UpdateService";
    matrix(&stage, worse, "succeeded", (40, 15));
}

#[test]
fn a_deployment_that_the_breaker_takes_back_fails_its_step_wherever_the_run_was_killed() {
    let stage = services();
    matrix(&stage, "kept+deployment-fails", "failed", (30, 10));
}
