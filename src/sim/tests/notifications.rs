//! SNS as its SDK client meets it.

use super::support::{Lab, code};
use aws_sdk_sns::types::MessageAttributeValue;

const ALERTS: &str = "arn:aws:sns:us-east-1:123456789012:alerts";

#[tokio::test(start_paused = true)]
async fn standard_topics_accept_every_repetition_and_keep_it() {
    let lab = Lab::new(&[]);
    let attributes = lab.sns.get_topic_attributes().topic_arn(ALERTS).send().await;
    let attributes = attributes.expect("the environment's topic").attributes.unwrap_or_default();
    assert_eq!(attributes["TopicArn"], ALERTS);
    assert_eq!(attributes["Owner"], "123456789012");

    let send = || lab.sns.publish().topic_arn(ALERTS).subject("drill").message("started <&> é");
    let first = send().send().await.expect("accepted");
    let value = MessageAttributeValue::builder().data_type("String").string_value("r1").build();
    let second = send().message_attributes("run", value.expect("complete")).send().await;
    assert_ne!(first.message_id(), second.expect("accepted again").message_id());
    let kept = lab.simulator.published();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].subject.as_deref(), Some("drill"));
    assert_eq!(kept[1].message, "started <&> é");
    assert_eq!(kept[1].attributes["run"], "r1");
    let effects: Vec<String> =
        lab.simulator.mutations().into_iter().map(|record| record.effect).collect();
    assert_eq!(effects.len(), 2);
    assert!(!effects.concat().contains("started"), "the log holds no message: {effects:?}");
}

#[tokio::test(start_paused = true)]
async fn publish_refuses_in_the_words_of_sns() {
    let lab = Lab::new(&[]);
    let to = |arn: &str| lab.sns.publish().topic_arn(arn);
    let missing = "arn:aws:sns:us-east-1:123456789012:nobody";
    assert_eq!(code(to(missing).message("x").send().await), "NotFound");
    assert_eq!(code(to("alerts").message("x").send().await), "InvalidParameter");
    let west = "arn:aws:sns:us-west-2:123456789012:alerts";
    assert_eq!(code(to(west).message("x").send().await), "InvalidParameter");
    let foreign = "arn:aws:sns:us-east-1:999999999999:alerts";
    assert_eq!(code(to(foreign).message("x").send().await), "AuthorizationError");
    assert_eq!(code(to(ALERTS).message("").send().await), "InvalidParameter");
    let fits = "x".repeat(256 * 1024);
    to(ALERTS).message(&fits).send().await.expect("exactly 256 KB");
    assert_eq!(code(to(ALERTS).message(fits + "x").send().await), "InvalidParameter");
    for subject in ["two\nlines", &"x".repeat(101), " blank first"] {
        let refused = to(ALERTS).message("x").subject(subject).send().await;
        assert_eq!(code(refused), "InvalidParameter", "{subject:?}");
    }
    let json = |text: &str| to(ALERTS).message_structure("json").message(text).send();
    assert_eq!(code(json("no json").await), "InvalidParameter");
    assert_eq!(code(json("{\"email\":\"x\"}").await), "InvalidParameter");
    json("{\"default\":\"x\"}").await.expect("a default is enough");
    assert_eq!(lab.simulator.published().len(), 2, "what was refused is not kept");
}

#[tokio::test(start_paused = true)]
async fn fifo_topics_drop_repetitions_for_five_minutes() {
    let lab = Lab::new(&[]);
    let make = |name: &str| lab.sns.create_topic().name(name);
    assert_eq!(code(make("x.fifo").send().await), "InvalidParameter");
    assert_eq!(code(make("x y").send().await), "InvalidParameter");
    let fifo = || make("orders.fifo").attributes("FifoTopic", "true");
    let made = fifo().send().await.expect("made");
    let arn = made.topic_arn().expect("an ARN");
    assert_eq!(fifo().send().await.expect("idempotent").topic_arn(), Some(arn));
    let other = fifo().attributes("DisplayName", "x").send().await;
    assert_eq!(code(other), "InvalidParameter");

    let send = |id: &str| {
        let call = lab.sns.publish().topic_arn(arn).message("once").message_group_id("g");
        call.message_deduplication_id(id).send()
    };
    let bare = lab.sns.publish().topic_arn(arn).message("x");
    assert_eq!(code(bare.clone().send().await), "InvalidParameter", "a group is required");
    assert_eq!(code(bare.message_group_id("g").send().await), "InvalidParameter", "an id too");
    let first = send("run-1").await.expect("accepted");
    let again = send("run-1").await.expect("answered");
    assert_eq!(first.message_id(), again.message_id());
    assert_eq!(first.sequence_number(), again.sequence_number());
    lab.sleep(301).await;
    let later = send("run-1").await.expect("accepted");
    assert_ne!(first.message_id(), later.message_id());
    assert_eq!(lab.simulator.published().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn topics_are_listed_by_region_in_pages_and_deleted() {
    let lab = Lab::new(&[]);
    for number in 0..120 {
        lab.sns.create_topic().name(format!("t{number:03}")).send().await.expect("made");
    }
    let first = lab.sns.list_topics().send().await.expect("a page");
    assert_eq!(first.topics().len(), 100);
    let token = first.next_token().expect("more");
    let second = lab.sns.list_topics().next_token(token).send().await.expect("a page");
    assert_eq!((second.topics().len(), second.next_token()), (21, None));
    lab.sns.delete_topic().topic_arn(ALERTS).send().await.expect("deleted");
    lab.sns.delete_topic().topic_arn(ALERTS).send().await.expect("idempotent");
    assert_eq!(code(lab.sns.get_topic_attributes().topic_arn(ALERTS).send().await), "NotFound");
}
