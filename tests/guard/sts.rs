//! Every operation of STS, one a line; `guard.rs` compares the list with the SDK crate.
//!
//! **Invariant:** an operation is under `reads` only when planning may call it.

use crate::operations;

operations! {
    aws_sdk_sts::Client;
    reads: [
    get_caller_identity,
    ]
    others: [
    assume_role,
    assume_role_with_saml,
    assume_role_with_web_identity,
    assume_root,
    decode_authorization_message,
    get_access_key_info,
    get_delegated_access_token,
    get_federation_token,
    get_session_token,
    get_web_identity_token,
    ]
}
