//! KMS as its SDK client meets it.

use super::support::{Lab, code};
use aws_sdk_kms::config::Region;
use aws_sdk_kms::types::{KeyManagerType, KeyState};

#[tokio::test(start_paused = true)]
async fn the_estates_keys_are_found_by_alias_id_and_arn() {
    let lab = Lab::new(&[]);
    let describe = |key: &str| lab.kms.describe_key().key_id(key).send();
    let by_alias = describe("alias/shop").await.expect("the estate's key");
    let key = by_alias.key_metadata().expect("metadata");
    assert_eq!(key.key_state(), Some(&KeyState::Enabled));
    assert_eq!((key.enabled(), key.multi_region()), (true, Some(false)));
    assert_eq!(key.key_manager(), Some(&KeyManagerType::Customer));
    let arn = key.arn().expect("an ARN");
    let encrypted = lab.instance("shop-orders").await;
    assert_eq!(encrypted.kms_key_id(), Some(arn), "the key that RDS names");
    let alias_arn = "arn:aws:kms:us-east-1:123456789012:alias/shop";
    for name in [key.key_id(), arn, alias_arn] {
        let found = describe(name).await.expect(name);
        assert_eq!(found.key_metadata().and_then(|found| found.arn()), Some(arn));
    }
    let managed = describe("alias/aws/rds").await.expect("in every region");
    let manager = managed.key_metadata().and_then(|key| key.key_manager());
    assert_eq!(manager, Some(&KeyManagerType::Aws));
}

#[tokio::test(start_paused = true)]
async fn keys_of_other_regions_and_unknown_ones_are_not_found() {
    let lab = Lab::new(&[]);
    let west = |call: aws_sdk_kms::operation::describe_key::builders::DescribeKeyFluentBuilder| {
        let config = aws_sdk_kms::config::Builder::new().region(Region::from_static("us-west-2"));
        call.customize().config_override(config).send()
    };
    let describe = |key: &str| lab.kms.describe_key().key_id(key);
    let here = describe("alias/shop").send().await.expect("here");
    let arn = here.key_metadata().and_then(|key| key.arn()).expect("an ARN").to_owned();
    assert_eq!(code(west(describe("alias/shop")).await), "NotFoundException");
    assert_eq!(code(west(describe(&arn)).await), "NotFoundException");
    for name in ["alias/nobody", "x", "00000000-0000-4000-8000-000000000000", "arn:x", "alias/"] {
        assert_eq!(code(describe(name).send().await), "NotFoundException", "{name}");
    }
    assert_eq!(code(describe("").send().await), "ValidationException");
}

#[tokio::test(start_paused = true)]
async fn a_disabled_key_says_so_and_aws_own_keys_stay() {
    let lab = Lab::new(&["kms-disabled"]);
    let state = async |name: &str| {
        let found = lab.kms.describe_key().key_id(name).send().await.expect(name);
        let key = found.key_metadata().expect("metadata").clone();
        (key.key_state().cloned(), key.enabled())
    };
    assert_eq!(state("alias/shop").await, (Some(KeyState::Disabled), false));
    assert_eq!(state("alias/aws/rds").await, (Some(KeyState::Enabled), true));
}

#[tokio::test(start_paused = true)]
async fn aliases_are_listed_in_pages() {
    let lab = Lab::new(&[]);
    let names = |page: &aws_sdk_kms::operation::list_aliases::ListAliasesOutput| -> Vec<String> {
        page.aliases().iter().filter_map(|alias| alias.alias_name().map(str::to_owned)).collect()
    };
    let all = lab.kms.list_aliases().send().await.expect("aliases");
    assert_eq!(names(&all), ["alias/aws/rds", "alias/aws/secretsmanager", "alias/shop"]);
    let first = lab.kms.list_aliases().limit(2).send().await.expect("a page");
    assert!(first.truncated());
    let marker = first.next_marker().expect("more");
    let rest = lab.kms.list_aliases().limit(2).marker(marker).send().await.expect("a page");
    assert_eq!((names(&rest), rest.truncated()), (vec!["alias/shop".to_owned()], false));
    let mine = lab.kms.list_aliases().key_id("alias/shop").send().await.expect("aliases");
    assert_eq!(names(&mine), ["alias/shop"]);
}

#[tokio::test(start_paused = true)]
async fn keys_are_made_disabled_and_given_up() {
    let lab = Lab::new(&[]);
    let made = lab.kms.create_key().description("mine").send().await.expect("made");
    let id = made.key_metadata().expect("metadata").key_id().to_owned();
    let alias = |name: &str, target: &str| {
        lab.kms.create_alias().alias_name(name).target_key_id(target).send()
    };
    alias("alias/mine", &id).await.expect("made");
    assert_eq!(code(alias("alias/mine", &id).await), "AlreadyExistsException");
    assert_eq!(code(alias("alias/aws/mine", &id).await), "InvalidAliasNameException");
    assert_eq!(code(alias("alias/x y", &id).await), "InvalidAliasNameException");
    assert_eq!(code(alias("alias/other", "x").await), "NotFoundException");
    let state = async || {
        let found = lab.kms.describe_key().key_id("alias/mine").send().await.expect("there");
        found.key_metadata().and_then(|key| key.key_state()).cloned()
    };
    lab.kms.disable_key().key_id(&id).send().await.expect("disabled");
    assert_eq!(state().await, Some(KeyState::Disabled));
    lab.kms.enable_key().key_id(&id).send().await.expect("enabled");
    let shop = lab.kms.disable_key().key_id("alias/shop").send().await;
    assert_eq!(code(shop), "InvalidArnException", "aliases are not taken here");
    let managed = lab.kms.describe_key().key_id("alias/aws/rds").send().await.expect("there");
    let managed = managed.key_metadata().expect("metadata").key_id().to_owned();
    assert_eq!(code(lab.kms.disable_key().key_id(managed).send().await), "AccessDeniedException");

    // RDS asks the same keys.
    let fresh = |name: &str| {
        let call = lab.rds.create_db_instance().db_instance_identifier(name).engine("postgres");
        let call = call.db_instance_class("db.t3.medium").allocated_storage(20);
        let call = call.master_username("admin1").master_user_password("a-long-password");
        call.storage_encrypted(true).kms_key_id("alias/mine").send()
    };
    fresh("with-my-key").await.expect("an enabled key");
    lab.kms.disable_key().key_id(&id).send().await.expect("disabled");
    assert_eq!(code(fresh("refused").await), "KMSKeyNotAccessibleFault");
    lab.kms.enable_key().key_id(&id).send().await.expect("enabled");

    let give_up = |days| lab.kms.schedule_key_deletion().key_id(&id).pending_window_in_days(days);
    assert_eq!(code(give_up(6).send().await), "ValidationException");
    give_up(7).send().await.expect("scheduled");
    assert_eq!(state().await, Some(KeyState::PendingDeletion));
    assert_eq!(code(lab.kms.enable_key().key_id(&id).send().await), "KMSInvalidStateException");
    lab.kms.cancel_key_deletion().key_id(&id).send().await.expect("cancelled");
    assert_eq!(state().await, Some(KeyState::Disabled));
    give_up(7).send().await.expect("scheduled");
    lab.sleep(7 * 24 * 3600 + 1).await;
    assert_eq!(code(lab.kms.describe_key().key_id(&id).send().await), "NotFoundException");
    assert_eq!(code(lab.kms.describe_key().key_id("alias/mine").send().await), "NotFoundException");
}
