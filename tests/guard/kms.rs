//! Every operation of KMS, one a line; `guard.rs` compares the list with the SDK crate.
//!
//! **Invariant:** an operation is under `reads` only when planning may call it.

use crate::operations;

operations! {
    aws_sdk_kms::Client;
    reads: [
    describe_key,
    get_key_policy,
    list_aliases,
    list_grants,
    ]
    others: [
    cancel_key_deletion,
    connect_custom_key_store,
    create_alias,
    create_custom_key_store,
    create_grant,
    create_key,
    decapsulate,
    decrypt,
    delete_alias,
    delete_custom_key_store,
    delete_imported_key_material,
    derive_shared_secret,
    describe_custom_key_stores,
    disable_key,
    disable_key_rotation,
    disconnect_custom_key_store,
    enable_key,
    enable_key_rotation,
    encapsulate,
    encrypt,
    generate_data_key,
    generate_data_key_pair,
    generate_data_key_pair_without_plaintext,
    generate_data_key_without_plaintext,
    generate_mac,
    generate_random,
    get_key_last_usage,
    get_key_rotation_status,
    get_parameters_for_import,
    get_public_key,
    import_key_material,
    list_key_policies,
    list_key_rotations,
    list_keys,
    list_resource_tags,
    list_retirable_grants,
    put_key_policy,
    re_encrypt,
    replicate_key,
    retire_grant,
    revoke_grant,
    rotate_key_on_demand,
    schedule_key_deletion,
    sign,
    tag_resource,
    untag_resource,
    update_alias,
    update_custom_key_store,
    update_key_description,
    update_primary_region,
    verify,
    verify_mac,
    ]
}
