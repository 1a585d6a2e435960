//! KMS keys as RDS sees them.
//!
//! **Invariant:** a key is known by ARN, id or alias, and only in its own region; a disabled key
//! encrypts nothing.

use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::kms;
use crate::sim::services::KeyState;

/// The alias of the key that RDS uses when it is told none.
pub(in crate::sim::rds) const DEFAULT: &str = "alias/aws/rds";

/// `KMSKeyNotAccessibleFault`.
pub(in crate::sim::rds) fn not_accessible(key: &str) -> ApiError {
    let message = format!(
        "Specified KMS key [{key}] does not exist, is not enabled or you do not have permissions \
         to access it."
    );
    ApiError::sender("KMSKeyNotAccessibleFault", message)
}

/// Refuses a key that KMS says cannot be used. One that KMS does not know (its database has left the
/// estate) can.
pub(in crate::sim::rds) fn check_enabled(turn: &Turn<'_>, key: &str) -> Result<(), ApiError> {
    let known = kms::keys(turn.world, turn.databases, &turn.region);
    let usable = known.get(key).is_none_or(|key| key.state == KeyState::Enabled);
    if usable { Ok(()) } else { Err(not_accessible(key)) }
}

/// ARN of the region's key that `named` is an ARN, id or alias of.
pub(in crate::sim::rds) fn resolve(turn: &Turn<'_>, named: &str) -> Result<String, ApiError> {
    kms::find(turn.world, turn.databases, &turn.region, named)
        .ok()
        .filter(|key| key.state == KeyState::Enabled)
        .map(|key| key.arn)
        .ok_or_else(|| not_accessible(named))
}
