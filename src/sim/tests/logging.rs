//! CloudWatch Logs as its SDK client meets it.

use super::support::{Lab, code};
use aws_sdk_cloudwatchlogs::types::{ExportTask, ExportTaskStatusCode};

const DAY: i64 = 86_400_000;

fn export(
    lab: &Lab,
    name: &str,
) -> aws_sdk_cloudwatchlogs::operation::create_export_task::builders::CreateExportTaskFluentBuilder
{
    let now = lab.clock.now().timestamp_millis();
    let call = lab.logs.create_export_task().task_name(name).log_group_name("/ecs/shop-api");
    call.from(now - DAY).to(now).destination("evidence").destination_prefix("case-7")
}

async fn tasks(lab: &Lab) -> Vec<ExportTask> {
    let all = lab.logs.describe_export_tasks().send().await.expect("a list");
    all.export_tasks().to_vec()
}

fn status(task: &ExportTask) -> &str {
    task.status().and_then(|status| status.code()).map_or("", ExportTaskStatusCode::as_str)
}

#[tokio::test(start_paused = true)]
async fn one_export_at_a_time_ends_with_objects_in_the_bucket() {
    let lab = Lab::new(&[]);
    let groups = lab.logs.describe_log_groups().log_group_name_prefix("/ecs/").send().await;
    let groups = groups.expect("a list");
    assert_eq!(groups.log_groups()[0].log_group_name(), Some("/ecs/shop-api"));
    assert!(groups.log_groups()[0].stored_bytes().is_some_and(|bytes| bytes > 0));
    let made = export(&lab, "case").send().await.expect("accepted");
    assert_eq!(code(export(&lab, "other").send().await), "LimitExceededException");
    let found = tasks(&lab).await;
    assert_eq!(
        (found.len(), found[0].task_name(), status(&found[0])),
        (1, Some("case"), "PENDING")
    );
    assert_eq!(found[0].task_id(), made.task_id());
    let objects = || lab.simulator.state_json()["buckets"]["evidence"]["objects"].clone();
    assert_eq!(objects().as_object().map(serde_json::Map::len), Some(1), "the probe");
    lab.sleep(900).await;
    let found = tasks(&lab).await;
    assert_eq!(status(&found[0]), "COMPLETED");
    assert!(found[0].execution_info().and_then(|info| info.completion_time()).is_some());
    let key = format!("case-7/{}/all/000000.gz", made.task_id().expect("an id"));
    assert!(objects().get(&key).is_some(), "{:?}", objects());
    export(&lab, "other").send().await.expect("the next one may begin");
    let second = tasks(&lab).await[0].task_id().expect("an id").to_owned();
    lab.logs.cancel_export_task().task_id(&second).send().await.expect("cancelled");
    assert_eq!(status(&tasks(&lab).await[0]), "CANCELLED");
    let again = lab.logs.cancel_export_task().task_id(&second).send().await;
    assert_eq!(code(again), "InvalidOperationException");
    let one = lab.logs.describe_export_tasks().limit(1).send().await.expect("a page");
    let rest = lab.logs.describe_export_tasks().set_next_token(one.next_token);
    assert_eq!(rest.send().await.expect("a page").export_tasks().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn exports_are_refused_in_the_words_of_logs() {
    let lab = Lab::new(&[]);
    let gone = export(&lab, "x").log_group_name("/none").send().await;
    assert_eq!(code(gone), "ResourceNotFoundException");
    for call in [
        export(&lab, "x").destination("nobody"),
        export(&lab, "x").from(5).to(5),
        export(&lab, "x").from(-1),
        export(&lab, &"x".repeat(513)),
    ] {
        assert_eq!(code(call.send().await), "InvalidParameterException");
    }
    let cancel = lab.logs.cancel_export_task().task_id("none").send().await;
    assert_eq!(code(cancel), "ResourceNotFoundException");
    let page = lab.logs.describe_export_tasks().limit(51).send().await;
    assert_eq!(code(page), "InvalidParameterException");
    assert!(tasks(&lab).await.is_empty());
    assert!(lab.simulator.mutations().is_empty());
}
