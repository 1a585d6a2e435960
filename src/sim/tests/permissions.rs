//! IAM as its SDK client meets it.

use super::support::{Lab, code};
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult};
use aws_types::region::Region;

fn role(name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{name}")
}

async fn decisions(lab: &Lab, source: &str, actions: &[&str]) -> Vec<EvaluationResult> {
    let names = actions.iter().map(|action| (*action).to_owned()).collect();
    let call = lab.iam.simulate_principal_policy().policy_source_arn(source);
    let answer = call.set_action_names(Some(names)).send().await.expect("simulated");
    answer.evaluation_results().to_vec()
}

fn words(results: &[EvaluationResult]) -> Vec<&str> {
    results.iter().map(|result| result.eval_decision().as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn roles_may_what_they_are_for() {
    let lab = Lab::new(&[]);
    let asked = ["rds:DescribeDBInstances", "rds:DeleteDBInstance", "cloudwatch:PutMetricData"];
    let mut asked = asked.to_vec();
    asked.extend(["secretsmanager:GetSecretValue", "dynamodb:DeleteTable"]);
    let user = "arn:aws:iam::123456789012:user/drctl-simulated";
    assert_eq!(words(&decisions(&lab, user, &asked).await), ["allowed"; 5]);
    let found = decisions(&lab, &role("drctl"), &asked).await;
    assert_eq!(words(&found), ["allowed", "allowed", "allowed", "allowed", "implicitDeny"]);
    let found = decisions(&lab, &role("drctl-read-only"), &asked).await;
    assert_eq!(words(&found)[0], "allowed");
    assert_eq!(words(&found)[1..], ["implicitDeny"; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_read_only_role_is_refused_what_it_was_said_to_be() {
    let lab = Lab::new(&[]);
    let assumed = lab.sts.assume_role().role_arn(role("drctl-read-only")).role_session_name("s");
    let assumed = assumed.send().await.expect("assumed");
    let session = assumed.credentials().expect("credentials");
    let keys = aws_credential_types::Credentials::new(
        session.access_key_id(),
        session.secret_access_key(),
        Some(session.session_token().to_owned()),
        None,
        "session",
    );
    let config = || {
        aws_sdk_sns::config::Builder::new()
            .credentials_provider(keys.clone())
            .region(Region::from_static("us-east-1"))
    };
    let listed = lab.sns.list_topics().customize().config_override(config()).send().await;
    listed.expect("reading is allowed");
    let made = lab.sns.create_topic().name("x").customize().config_override(config()).send().await;
    assert_eq!(code(made), "AuthorizationError");
}

#[tokio::test(start_paused = true)]
async fn a_condition_without_its_value_is_missing() {
    let lab = Lab::new(&[]);
    let found = decisions(&lab, &role("drctl-tagged"), &["rds:DeleteDBInstance"]).await;
    assert_eq!(words(&found), ["implicitDeny"]);
    assert_eq!(found[0].missing_context_values(), ["aws:ResourceTag/drctl:run"]);
    for (value, wanted) in [("r1", "allowed"), ("", "implicitDeny")] {
        let entry = ContextEntry::builder()
            .context_key_name("aws:ResourceTag/drctl:run")
            .context_key_type(ContextKeyTypeEnum::String)
            .context_key_values(value)
            .build();
        let call = lab.iam.simulate_principal_policy().policy_source_arn(role("drctl-tagged"));
        let call = call.action_names("rds:DeleteDBInstance").context_entries(entry);
        let answer = call.send().await.expect("simulated");
        assert_eq!(words(answer.evaluation_results()), [wanted]);
        assert!(answer.evaluation_results()[0].missing_context_values().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn denials_are_explicit_and_pages_follow() {
    let lab = Lab::new(&["access-denied=DeleteDBInstance"]);
    let asked = ["rds:DeleteDBInstance", "rds:ModifyDBInstance"];
    let found = decisions(&lab, &role("drctl"), &asked).await;
    assert_eq!(words(&found), ["explicitDeny", "allowed"]);
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"rds:Mod*","Resource":"*"}]}"#;
    let call = || {
        let call = lab.iam.simulate_principal_policy().policy_source_arn(role("drctl"));
        call.set_action_names(Some(asked.map(str::to_owned).to_vec()))
    };
    let answer = call().policy_input_list(policy).max_items(1).send().await.expect("a page");
    assert!(answer.is_truncated());
    let next = call().policy_input_list(policy).set_marker(answer.marker().map(str::to_owned));
    let next = next.send().await.expect("a page");
    assert_eq!(
        (words(next.evaluation_results()), next.is_truncated()),
        (vec!["explicitDeny"], false)
    );
    assert_eq!(code(call().policy_input_list("no policy").send().await), "InvalidInput");
}

#[tokio::test(start_paused = true)]
async fn strangers_are_no_entities() {
    let lab = Lab::new(&[]);
    let ask = |source: &str, action: &str| {
        let call = lab.iam.simulate_principal_policy().policy_source_arn(source);
        call.action_names(action).send()
    };
    for source in [
        role("nobody"),
        "arn:aws:iam::123456789012:user/mia".to_owned(),
        "arn:aws:iam::123456789012:group/ops".to_owned(),
        "arn:aws:iam::999999999999:role/drctl".to_owned(),
    ] {
        assert_eq!(code(ask(&source, "rds:DescribeEvents").await), "NoSuchEntity", "{source}");
    }
    for source in ["nonsense", "arn:aws:sts::123456789012:assumed-role/drctl/s"] {
        assert_eq!(code(ask(source, "rds:DescribeEvents").await), "InvalidInput", "{source}");
    }
    for action in ["DescribeEvents", "rds:", "rds:a b"] {
        assert_eq!(code(ask(&role("drctl"), action).await), "InvalidInput", "{action}");
    }
    lab.sts.assume_role().role_arn(role("nobody")).role_session_name("s").send().await.unwrap();
    ask(&role("nobody"), "rds:DescribeEvents").await.expect("known once it was assumed");
}
