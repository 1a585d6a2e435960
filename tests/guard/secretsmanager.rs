//! Every operation of Secrets Manager, one a line; `guard.rs` compares the list with the SDK crate.
//!
//! **Invariant:** an operation is under `reads` only when planning may call it.

use crate::operations;

operations! {
    aws_sdk_secretsmanager::Client;
    reads: [
    describe_secret,
    list_secret_version_ids,
    list_secrets,
    ]
    others: [
    batch_get_secret_value,
    cancel_rotate_secret,
    create_secret,
    delete_resource_policy,
    delete_secret,
    get_random_password,
    get_resource_policy,
    get_secret_value,
    put_resource_policy,
    put_secret_value,
    remove_regions_from_replication,
    replicate_secret_to_regions,
    restore_secret,
    rotate_secret,
    stop_replication_to_replica,
    tag_resource,
    untag_resource,
    update_secret,
    update_secret_version_stage,
    validate_resource_policy,
    ]
}
