//! The verbs of ECS against MiniStack, a server that we did not write, over TCP.
//!
//! **Invariant:** what the service is in the end is read back by boto3, so that no code of ours parses it.

use crate::ministack::MiniStack;
use crate::support::{drctl, run, skip};
use std::fs;
use std::path::Path;

const RUNBOOK: &str = r#"apiVersion: drctl/v1
kind: Runbook
name: services
title: Services
steps:
  - id: look
    uses: ecs.check_service
    with: { cluster: shop, service: api, at_least: 3 }
  - id: fence
    needs: [look]
    uses: fence.ecs
    with: { cluster: shop, service: api }
  - id: grow
    needs: [fence]
    uses: ecs.scale
    with: { cluster: shop, service: api, to: 4 }
  - id: rolled
    needs: [grow]
    uses: ecs.rollback
    with: { cluster: shop, service: api }
  - id: again
    needs: [rolled]
    uses: ecs.redeploy
    with: { cluster: shop, service: api }
  - id: rest
    needs: [again]
    uses: ecs.wait_stable
    with: { cluster: shop, service: api, task_definition: "${{ steps.rolled.outputs.task_definition }}" }
"#;

/// A client of ECS, for the lines of Python that follow.
const CLIENT: &str = "ecs = boto3.client('ecs', endpoint_url=s3.meta.endpoint_url, region_name='us-east-1', \
     aws_access_key_id='test', aws_secret_access_key='test')\n";

const BEGIN: &str = "ecs.create_cluster(clusterName='shop')
for image in ('api:1', 'api:2'):
    ecs.register_task_definition(family='api', containerDefinitions=[{'name': 'api', 'image': image, 'memory': 64}])
ecs.create_service(cluster='shop', serviceName='api', taskDefinition='api:2', desiredCount=3,
    deploymentConfiguration={'minimumHealthyPercent': 100, 'maximumPercent': 200})
";

const END: &str = "found = ecs.describe_services(cluster='shop', services=['api'])['services'][0]
print(found['desiredCount'], found['runningCount'], found['taskDefinition'].split('/')[-1], len(found['deployments']))
";

fn project(directory: &Path, endpoint: &str) {
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, text).expect("a file");
    };
    write("runbooks/services.yaml", RUNBOOK);
    let estate = format!(
        "apiVersion: drctl/v1\nkind: Estate\nname: shop\nservices:\n  \
         api: {{ cluster: shop, task_definition: 'api:2', desired: 3 }}\nenvironments:\n  \
         there: {{ type: endpoints, account: '000000000000', region: us-east-1, endpoints: {{ default: '{endpoint}' }} }}\n"
    );
    write("estates/shop.yaml", &estate);
}

#[test]
fn a_service_of_ministack_is_fenced_scaled_rolled_back_and_redeployed() {
    let Some(stack) = MiniStack::start() else { return skip("ministack could not be installed") };
    stack.boto3(&format!("{CLIENT}{BEGIN}"));
    let directory = tempfile::tempdir().expect("a directory");
    project(directory.path(), &format!("http://{}", stack.address));
    let state = directory.path().join("state");
    let mut command = drctl(&state);
    command.args(["run", "services", "--estate", "shop", "--env", "there", "--yes"]);
    let ended = run(command
        .current_dir(directory.path())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test"));
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    let told = format!("{}{}", ended.stdout, ended.stderr);
    assert!(told.contains("run succeeded"), "{told}");
    print!("{told}");
    assert_eq!(stack.boto3(&format!("{CLIENT}{END}")).trim(), "4 4 api:1 1");
}
