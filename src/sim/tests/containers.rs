//! ECS as its SDK client meets it.

use super::support::{Lab, code};
use aws_sdk_ecs::types::{
    ContainerDefinition, DesiredStatus, Service, SortOrder, TaskDefinitionStatus,
};

async fn service(lab: &Lab, name: &str) -> Service {
    let asked = lab.ecs.describe_services().cluster("shop").services(name);
    asked.send().await.expect("an answer").services()[0].clone()
}

/// Counts: wanted, running, pending.
async fn counts(lab: &Lab, name: &str) -> (i32, i32, i32) {
    let found = service(lab, name).await;
    (found.desired_count(), found.running_count(), found.pending_count())
}

fn update(
    lab: &Lab,
    name: &str,
) -> aws_sdk_ecs::operation::update_service::builders::UpdateServiceFluentBuilder {
    lab.ecs.update_service().cluster("shop").service(name)
}

/// Task definition and rollout state of each deployment, PRIMARY first.
fn deployments(found: &Service) -> Vec<(String, String)> {
    let short = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
    let shown = found.deployments().iter().map(|deployment| {
        let state = deployment.rollout_state().map(|state| state.as_str().to_owned());
        (short(deployment.task_definition().unwrap_or_default()), state.unwrap_or_default())
    });
    shown.collect()
}

#[tokio::test(start_paused = true)]
async fn a_world_begins_with_the_estates_services() {
    let lab = Lab::new(&[]);
    let api = service(&lab, "api").await;
    assert_eq!((api.status(), api.desired_count(), api.running_count()), (Some("ACTIVE"), 10, 10));
    assert_eq!(deployments(&api), [("shop-api:42".to_owned(), "COMPLETED".to_owned())]);
    assert_eq!(
        api.deployment_configuration().and_then(|it| it.minimum_healthy_percent()),
        Some(100)
    );
    let listed = lab.ecs.list_services().cluster("shop").send().await.expect("a list");
    assert_eq!(listed.service_arns().len(), 2, "{listed:?}");
    let clusters = lab.ecs.describe_clusters().clusters("shop").clusters("none").send().await;
    let clusters = clusters.expect("an answer");
    assert_eq!(clusters.clusters()[0].running_tasks_count(), 14);
    assert_eq!(clusters.failures()[0].reason(), Some("MISSING"));
    let definitions = lab.ecs.list_task_definitions().family_prefix("shop-api");
    let definitions = definitions.sort(SortOrder::Desc).send().await.expect("a list");
    let names: Vec<&str> = definitions
        .task_definition_arns()
        .iter()
        .filter_map(|arn| arn.rsplit('/').next())
        .collect();
    assert_eq!(names, ["shop-api:42", "shop-api:41"]);
    let tasks = lab.ecs.list_tasks().cluster("shop").service_name("api").send().await;
    assert_eq!(tasks.expect("a list").task_arns().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn refusals_come_in_the_words_of_ecs() {
    let lab = Lab::new(&[]);
    let missing = lab.ecs.describe_services().cluster("shop").services("nobody").send().await;
    let missing = missing.expect("an answer of success");
    assert_eq!(missing.services().len(), 0);
    assert_eq!(missing.failures()[0].reason(), Some("MISSING"));
    let describe = |cluster: &str| lab.ecs.describe_services().cluster(cluster);
    assert_eq!(code(describe("none").services("api").send().await), "ClusterNotFoundException");
    assert_eq!(code(describe("shop").send().await), "InvalidParameterException");
    let eleven = (0..11).map(|n| n.to_string()).collect();
    let eleven = describe("shop").set_services(Some(eleven)).send().await;
    assert_eq!(code(eleven), "InvalidParameterException");
    let nobody = update(&lab, "nobody").desired_count(1).send().await;
    assert_eq!(code(nobody), "ServiceNotFoundException");
    let negative = update(&lab, "api").desired_count(-1).send().await;
    assert_eq!(code(negative), "InvalidParameterException");
    let unknown = update(&lab, "api").task_definition("shop-api:43").send().await;
    assert_eq!(code(unknown), "ClientException");
    let tasks = lab.ecs.describe_tasks().cluster("shop").send().await;
    assert_eq!(code(tasks), "InvalidParameterException");
    let gone = lab.ecs.describe_task_definition().task_definition("none:1").send().await;
    assert_eq!(code(gone), "ClientException");
    assert!(lab.simulator.mutations().is_empty());
}

#[tokio::test(start_paused = true)]
async fn scaling_starts_no_deployment_and_stops_tasks_in_their_time() {
    let lab = Lab::new(&[]);
    update(&lab, "api").desired_count(0).send().await.expect("accepted");
    // Reads show the old state for a moment.
    assert_eq!(counts(&lab, "api").await, (10, 10, 0));
    lab.sleep(4).await;
    assert_eq!(counts(&lab, "api").await, (0, 0, 0), "told to stop, no longer RUNNING");
    let list = |wanted: DesiredStatus| {
        lab.ecs.list_tasks().cluster("shop").service_name("api").desired_status(wanted)
    };
    let running = list(DesiredStatus::Running).send().await.expect("a list");
    assert!(running.task_arns().is_empty());
    let stopping = list(DesiredStatus::Stopped).send().await.expect("a list");
    let arns = stopping.task_arns().to_vec();
    let describe = || lab.ecs.describe_tasks().cluster("shop").set_tasks(Some(arns.clone())).send();
    let status = |found: &aws_sdk_ecs::operation::describe_tasks::DescribeTasksOutput| {
        let all = found.tasks().iter().filter_map(|task| task.last_status().map(str::to_owned));
        all.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let described = describe().await.expect("tasks");
    assert_eq!(described.tasks().len(), 10);
    assert_eq!(status(&described), ["DEACTIVATING"], "they may still be at work");
    lab.sleep(120).await;
    assert_eq!(status(&describe().await.expect("tasks")), ["STOPPED"]);
    let api = service(&lab, "api").await;
    assert_eq!(deployments(&api), [("shop-api:42".to_owned(), "COMPLETED".to_owned())]);
    update(&lab, "api").desired_count(12).send().await.expect("accepted");
    lab.sleep(4).await;
    assert_eq!(counts(&lab, "api").await, (12, 0, 12));
    lab.sleep(300).await;
    assert_eq!(counts(&lab, "api").await, (12, 12, 0));
    let events = service(&lab, "api").await;
    assert!(events.events()[0].message().is_some_and(|text| text.contains("has started 12 tasks")));
    assert_eq!(service(&lab, "web").await.running_count(), 4, "the others are left alone");
}

/// The percentages of each service hold at every instant of a deployment.
#[tokio::test(start_paused = true)]
async fn a_rolling_deployment_keeps_the_share_that_it_must() {
    for (name, from, to, least, most) in
        [("api", "shop-api:42", "shop-api:41", 10, 20), ("web", "shop-web:7", "shop-web:6", 2, 4)]
    {
        let lab = Lab::new(&[]);
        let asked = update(&lab, name).task_definition(to).send().await.expect("accepted");
        let answer = asked.service().expect("the service");
        assert_eq!(
            deployments(answer),
            [(to.to_owned(), "IN_PROGRESS".to_owned()), (from.to_owned(), "COMPLETED".to_owned())]
        );
        lab.sleep(4).await;
        let mut states = Vec::new();
        for _ in 0..400 {
            let found = service(&lab, name).await;
            let (running, pending) = (found.running_count(), found.pending_count());
            assert!(running >= least, "{name}: {running} of {least}");
            assert!(running + pending <= most, "{name}: {running} + {pending} of {most}");
            let state = deployments(&found);
            if states.last() != Some(&state) {
                states.push(state);
            }
            lab.sleep(2).await;
        }
        let last = states.last().expect("states");
        assert_eq!(*last, [(to.to_owned(), "COMPLETED".to_owned())], "{states:?}");
        assert!(states.len() >= 2, "{states:?}");
        // The same once more is no deployment; with force it is one.
        update(&lab, name).task_definition(to).send().await.expect("accepted");
        lab.sleep(4).await;
        assert_eq!(service(&lab, name).await.deployments().len(), 1);
        update(&lab, name).force_new_deployment(true).send().await.expect("accepted");
        lab.sleep(4).await;
        assert_eq!(service(&lab, name).await.deployments().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn the_circuit_breaker_rolls_back_and_ends_stable() {
    let lab = Lab::new(&["deployment-fails"]);
    update(&lab, "api").task_definition("shop-api:41").send().await.expect("accepted");
    let mut failed = false;
    for _ in 0..300 {
        lab.sleep(2).await;
        let found = service(&lab, "api").await;
        assert!(found.running_count() >= 10, "{found:?}");
        failed |= deployments(&found)
            .iter()
            .any(|(name, state)| (name.as_str(), state.as_str()) == ("shop-api:41", "FAILED"));
    }
    assert!(failed, "a read shows the failed deployment");
    let api = service(&lab, "api").await;
    assert_eq!(deployments(&api), [("shop-api:42".to_owned(), "COMPLETED".to_owned())]);
    assert_eq!((api.running_count(), api.pending_count()), (10, 0));
    let told: Vec<&str> = api.events().iter().filter_map(|event| event.message()).collect();
    for words in ["deployment failed: tasks failed to start", "rolling back to deployment ecs-svc/"]
    {
        assert!(told.iter().any(|text| text.contains(words)), "{words} in {told:?}");
    }
    // The fault struck once: the next deployment goes well.
    update(&lab, "api").task_definition("shop-api:41").send().await.expect("accepted");
    lab.sleep(600).await;
    let api = service(&lab, "api").await;
    assert_eq!(deployments(&api), [("shop-api:41".to_owned(), "COMPLETED".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn tasks_may_never_start_and_may_linger() {
    let lab = Lab::new(&["tasks-never-start"]);
    update(&lab, "api").desired_count(12).send().await.expect("accepted");
    lab.sleep(3600).await;
    assert_eq!(counts(&lab, "api").await, (12, 10, 2));
    let lab = Lab::new(&["tasks-linger=2m"]);
    update(&lab, "api").desired_count(0).send().await.expect("accepted");
    lab.sleep(60).await;
    assert_eq!(counts(&lab, "api").await, (0, 10, 0), "they run on");
    lab.sleep(65).await;
    assert_eq!(counts(&lab, "api").await, (0, 0, 0));
    // A second call while they linger starts their time anew and loses none.
    let lab = Lab::new(&["tasks-linger=2m"]);
    update(&lab, "api").desired_count(0).send().await.expect("accepted");
    lab.sleep(60).await;
    update(&lab, "api").desired_count(3).send().await.expect("accepted");
    lab.sleep(400).await;
    assert_eq!(counts(&lab, "api").await, (3, 3, 0));
}

#[tokio::test(start_paused = true)]
async fn task_definitions_are_registered_once_and_end_inactive() {
    let lab = Lab::new(&[]);
    let container = ContainerDefinition::builder().name("api").image("api:43").build();
    let made = lab.ecs.register_task_definition().family("shop-api");
    let made = made.container_definitions(container).send().await.expect("registered");
    assert_eq!(made.task_definition().map(|found| found.revision()), Some(43));
    assert_eq!(
        code(lab.ecs.register_task_definition().family("x").send().await),
        "ClientException"
    );
    let ended = lab.ecs.deregister_task_definition().task_definition("shop-api:41").send().await;
    let ended = ended.expect("deregistered");
    let status = ended.task_definition().and_then(|found| found.status());
    assert_eq!(status, Some(&TaskDefinitionStatus::Inactive));
    let refused = update(&lab, "api").task_definition("shop-api:41").send().await;
    assert_eq!(code(refused), "ClientException");
    update(&lab, "api").task_definition("shop-api").send().await.expect("the newest active one");
    lab.sleep(600).await;
    let api = service(&lab, "api").await;
    assert_eq!(deployments(&api)[0].0, "shop-api:43");
    let list = lab.ecs.list_task_definitions().family_prefix("shop-api").max_results(1);
    let first = list.clone().send().await.expect("a page");
    let rest = list.set_next_token(first.next_token().map(str::to_owned)).send().await;
    assert_eq!(rest.expect("a page").task_definition_arns().len(), 1);
    let bad = lab.ecs.list_task_definitions().next_token("x").send().await;
    assert_eq!(code(bad), "InvalidParameterException");
}

#[tokio::test(start_paused = true)]
async fn a_world_is_asked_seldom_or_often_and_is_the_same() {
    let often = Lab::new(&[]);
    let begun = update(&often, "web").task_definition("shop-web:6").desired_count(6);
    begun.send().await.expect("accepted");
    let seldom = Lab::with(often.simulator.fork(), 1);
    for _ in 0..100 {
        often.sleep(3).await;
        service(&often, "web").await;
    }
    seldom.sleep(300).await;
    let (one, other) = (service(&often, "web").await, service(&seldom, "web").await);
    assert_eq!(one.deployments().len(), other.deployments().len());
    assert_eq!((one.running_count(), one.desired_count()), (6, 6));
    assert_eq!((other.running_count(), other.desired_count()), (6, 6));
    assert_eq!(one.deployments()[0].updated_at(), other.deployments()[0].updated_at());
}

#[tokio::test(start_paused = true)]
async fn container_insights_count_what_ran() {
    use aws_sdk_cloudwatch::primitives::DateTime as SdkTime;
    use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
    let lab = Lab::new(&[]);
    update(&lab, "api").desired_count(2).send().await.expect("accepted");
    lab.sleep(1800).await;
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let most = async |service: &str| {
        let metric = Metric::builder()
            .namespace("ECS/ContainerInsights")
            .metric_name("RunningTaskCount")
            .dimensions(dimension("ClusterName", "shop"))
            .dimensions(dimension("ServiceName", service))
            .build();
        let stat = MetricStat::builder().metric(metric).period(300).stat("Maximum").build();
        let query = MetricDataQuery::builder().id("tasks").metric_stat(stat).build();
        let now = lab.clock.now().timestamp();
        let found = lab
            .metrics
            .get_metric_data()
            .metric_data_queries(query)
            .start_time(SdkTime::from_secs(now - 24 * 3600))
            .end_time(SdkTime::from_secs(now))
            .send()
            .await
            .expect("data");
        found.metric_data_results()[0].values().to_vec()
    };
    let values = most("api").await;
    assert_eq!(values.first(), Some(&2.0), "newest first");
    assert_eq!(values.iter().copied().fold(0.0, f64::max), 10.0);
    assert!(most("nobody").await.is_empty(), "what nobody runs has no data");
    let listed = lab.metrics.list_metrics().namespace("ECS/ContainerInsights").send().await;
    assert_eq!(listed.expect("a list").metrics().len(), 6, "three services, two metrics");
}
