//! Secrets Manager as its SDK client meets it.

use super::support::{Lab, code};
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, ReplicaRegionType};
use aws_types::region::Region;

const NAME: &str = "shop/orders";

async fn text(lab: &Lab, stage: &str) -> Result<String, String> {
    let call = lab.secrets.get_secret_value().secret_id(NAME).version_stage(stage);
    let answer = call.send().await.map_err(|error| format!("{error:?}"))?;
    Ok(answer.secret_string().expect("a text").to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_new_value_is_current_and_the_old_one_previous() {
    let lab = Lab::new(&[]);
    let before = text(&lab, "AWSCURRENT").await.expect("a value");
    let token = "0123456789abcdef0123456789abcdef";
    let put = |value: &str| {
        let call = lab.secrets.put_secret_value().secret_id(NAME).secret_string(value);
        call.client_request_token(token).send()
    };
    let first = put("squirrel").await.expect("put");
    assert_eq!(
        (first.version_id(), first.version_stages()),
        (Some(token), &["AWSCURRENT".to_owned()][..])
    );
    put("squirrel").await.expect("idempotent by its token");
    assert_eq!(code(put("another").await), "ResourceExistsException");
    assert_eq!(text(&lab, "AWSCURRENT").await, Ok("squirrel".to_owned()));
    assert_eq!(text(&lab, "AWSPREVIOUS").await, Ok(before));
    let listed = lab.secrets.list_secret_version_ids().secret_id(NAME).send().await.expect("two");
    assert_eq!(listed.versions().len(), 2, "the third has no stage");
    let described = lab.secrets.describe_secret().secret_id(NAME).send().await.expect("there");
    let stages = described.version_ids_to_stages().expect("stages");
    assert_eq!(stages[token], ["AWSCURRENT"]);
    let log = format!("{:?}", lab.simulator.mutations());
    assert!(log.contains("PutSecretValue") && !log.contains("squirrel"), "{log}");
    assert_eq!(lab.simulator.mutations().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn bad_values_are_refused() {
    let lab = Lab::new(&[]);
    let put = || lab.secrets.put_secret_value().secret_id(NAME);
    assert_eq!(code(put().send().await), "InvalidParameterException");
    let long = "x".repeat(65_537);
    assert_eq!(code(put().secret_string(long).send().await), "ValidationException");
    let short = put().secret_string("x").client_request_token("short");
    assert_eq!(code(short.send().await), "InvalidParameterException");
    let other = lab.secrets.put_secret_value().secret_id("nobody").secret_string("x");
    assert_eq!(code(other.send().await), "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn secrets_are_listed_in_pages_and_by_name() {
    let lab = Lab::new(&[]);
    let first = lab.secrets.list_secrets().max_results(1).send().await.expect("a page");
    assert_eq!(first.secret_list()[0].name(), Some(NAME));
    let token = first.next_token().expect("more");
    let rest = lab.secrets.list_secrets().max_results(1).next_token(token).send().await;
    let rest = rest.expect("a page");
    assert_eq!((rest.secret_list()[0].name(), rest.next_token()), (Some("shop/stock"), None));
    let named = Filter::builder().key(FilterNameStringType::Name).values("shop/s").build();
    let found = lab.secrets.list_secrets().filters(named).send().await.expect("a page");
    assert_eq!(found.secret_list().len(), 1);
    assert_eq!(
        code(lab.secrets.list_secrets().max_results(101).send().await),
        "InvalidParameterException"
    );
}

#[tokio::test(start_paused = true)]
async fn a_replica_is_read_in_its_region_and_changed_in_none() {
    let lab = Lab::new(&[]);
    let west =
        || aws_sdk_secretsmanager::config::Builder::new().region(Region::from_static("us-west-2"));
    let there = || {
        let call = lab.secrets.get_secret_value().secret_id(NAME);
        call.customize().config_override(west()).send()
    };
    assert_eq!(code(there().await), "ResourceNotFoundException");
    let replicate = |region: &str| {
        let region = ReplicaRegionType::builder().region(region).build();
        lab.secrets.replicate_secret_to_regions().secret_id(NAME).add_replica_regions(region)
    };
    let begun = replicate("us-west-2").send().await.expect("begun");
    let status = begun.replication_status()[0].status().map(|status| status.as_str());
    assert_eq!(status, Some("InProgress"));
    lab.sleep(30).await;
    let described = lab.secrets.describe_secret().secret_id(NAME).send().await.expect("there");
    let status = described.replication_status()[0].status().map(|status| status.as_str());
    assert_eq!((status, described.primary_region()), (Some("InSync"), Some("us-east-1")));
    let copy = there().await.expect("there");
    assert_eq!(copy.secret_string().map(str::to_owned), text(&lab, "AWSCURRENT").await.ok());
    assert!(copy.arn().is_some_and(|arn| arn.contains(":us-west-2:")));
    let put = lab.secrets.put_secret_value().secret_id(NAME).secret_string("x");
    let put = put.customize().config_override(west()).send().await;
    assert_eq!(code(put), "InvalidRequestException");
    for region in ["us-east-1", "Mars", ""] {
        assert_eq!(code(replicate(region).send().await), "InvalidParameterException", "{region}");
    }
    let key = ReplicaRegionType::builder().region("eu-west-1").kms_key_id("alias/nobody").build();
    let call = lab.secrets.replicate_secret_to_regions().secret_id(NAME).add_replica_regions(key);
    assert_eq!(code(call.send().await), "InvalidParameterException");
}
