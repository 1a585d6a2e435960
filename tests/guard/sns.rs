//! Every operation of SNS, one a line; `guard.rs` compares the list with the SDK crate.
//!
//! **Invariant:** an operation is under `reads` only when planning may call it.

use crate::operations;

operations! {
    aws_sdk_sns::Client;
    reads: [
    ]
    others: [
    add_permission,
    check_if_phone_number_is_opted_out,
    confirm_subscription,
    create_platform_application,
    create_platform_endpoint,
    create_sms_sandbox_phone_number,
    create_topic,
    delete_endpoint,
    delete_platform_application,
    delete_sms_sandbox_phone_number,
    delete_topic,
    get_data_protection_policy,
    get_endpoint_attributes,
    get_platform_application_attributes,
    get_sms_attributes,
    get_sms_sandbox_account_status,
    get_subscription_attributes,
    get_topic_attributes,
    list_endpoints_by_platform_application,
    list_origination_numbers,
    list_phone_numbers_opted_out,
    list_platform_applications,
    list_sms_sandbox_phone_numbers,
    list_subscriptions,
    list_subscriptions_by_topic,
    list_tags_for_resource,
    list_topics,
    opt_in_phone_number,
    publish,
    publish_batch,
    put_data_protection_policy,
    remove_permission,
    set_endpoint_attributes,
    set_platform_application_attributes,
    set_sms_attributes,
    set_subscription_attributes,
    set_topic_attributes,
    subscribe,
    tag_resource,
    unsubscribe,
    untag_resource,
    verify_sms_sandbox_phone_number,
    ]
}
