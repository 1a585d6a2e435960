//! Roles of other accounts: who may assume them, what a session says it is, how long it lasts.

use super::support::{Lab, code, sdk};
use crate::base::clock::Clock;
use crate::estate::{self, Estate};
use crate::sim::{SimOptions, Simulator, http_client};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use aws_sdk_sts::types::Tag;

const DATA: &str = "arn:aws:iam::210987654321:role/dr/data";
const AUDIT: &str = "arn:aws:iam::333322221111:role/audit";

fn estate() -> Estate {
    let text = format!(
        "apiVersion: drctl/v1\nkind: Estate\nname: shop\nenvironments:\n  sim:\n    type: simulated\n    \
         account: \"123456789012\"\n    region: us-east-1\n    accounts:\n      data: {{ account: \
         \"210987654321\", role: \"{DATA}\", external_id: dr-1 }}\n    roles:\n      \"{AUDIT}\": {{ \
         external_id: secret-id, session_tags: [team] }}\n"
    );
    estate::load("shop.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn lab() -> Lab {
    let estate = estate();
    let options = SimOptions { seed: None, faults: Vec::new() };
    let world = Simulator::create(&estate, &estate.environments["sim"], options);
    Lab::with(world.expect("a world"), 1)
}

fn assume(sts: &aws_sdk_sts::Client, role: &str) -> AssumeRoleFluentBuilder {
    sts.assume_role().role_arn(role).role_session_name("s")
}

fn tag(key: &str) -> Tag {
    Tag::builder().key(key).value("x").build().expect("a tag")
}

/// STS as a session sees it.
fn with(lab: &Lab, given: &aws_sdk_sts::types::Credentials) -> aws_sdk_sts::Client {
    let clock: &Clock = &lab.clock;
    let sdk = sdk(http_client(lab.simulator.clone(), clock.clone(), None), clock, 1);
    let (key, secret) = (given.access_key_id(), given.secret_access_key());
    let token = Some(given.session_token().to_owned());
    let own = Credentials::new(key, secret, token, None, "test");
    let own = SharedCredentialsProvider::new(own);
    aws_sdk_sts::Client::new(&sdk.into_builder().credentials_provider(own).build())
}

#[tokio::test(start_paused = true)]
async fn a_trust_policy_wants_its_external_id_and_its_tags() {
    let lab = lab();
    let sts = &lab.sts;
    for (case, call) in [
        ("no external id", assume(sts, DATA)),
        ("a wrong one", assume(sts, DATA).external_id("dr-2")),
        ("another case", assume(sts, DATA).external_id("DR-1")),
        ("no tag", assume(sts, AUDIT).external_id("secret-id")),
        ("another tag", assume(sts, AUDIT).external_id("secret-id").tags(tag("Team"))),
        ("no such role", assume(sts, "arn:aws:iam::210987654321:role/other").external_id("dr-1")),
        ("no role at all", assume(sts, "arn:aws:iam::210987654321:user/data")),
    ] {
        assert_eq!(code(call.send().await), "AccessDenied", "{case}");
    }
    assume(sts, DATA).external_id("dr-1").send().await.expect("as its trust asks");
    let tagged = assume(sts, AUDIT).external_id("secret-id").tags(tag("team"));
    tagged.send().await.expect("as its trust asks");
    assume(sts, "arn:aws:iam::123456789012:role/own").send().await.expect("of one's own account");
}

#[tokio::test(start_paused = true)]
async fn a_session_is_of_its_roles_account_and_ends() {
    let lab = lab();
    let given = assume(&lab.sts, DATA).external_id("dr-1").send().await.expect("assumed");
    let arn = given.assumed_role_user().map(|user| user.arn().to_owned());
    assert_eq!(arn.as_deref(), Some("arn:aws:sts::210987654321:assumed-role/data/s"));
    let session = with(&lab, given.credentials().expect("given"));
    let caller = session.get_caller_identity().send().await.expect("answered");
    assert_eq!((caller.account(), caller.arn()), (Some("210987654321"), arn.as_deref()));
    let own = lab.sts.get_caller_identity().send().await.expect("answered");
    assert_eq!(own.account(), Some("123456789012"));
    // A session that came from a session lasts for an hour at most.
    let long = assume(&session, DATA).external_id("dr-1").duration_seconds(7200);
    assert_eq!(code(long.send().await), "ValidationError");
    let long = assume(&lab.sts, DATA).external_id("dr-1").duration_seconds(7200);
    long.send().await.expect("not chained");
    lab.sleep(3601).await;
    assert_eq!(code(session.get_caller_identity().send().await), "ExpiredToken");
}
