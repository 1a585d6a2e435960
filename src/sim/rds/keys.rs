//! KMS keys as RDS sees them.
//!
//! **Invariant:** a key is known by ARN, id or alias, and only in its own region; a disabled key
//! encrypts nothing.

use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::faults::FaultKind;
use crate::sim::genesis::key_arn;
use std::collections::BTreeSet;

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

/// Refuses a key that cannot be used.
pub(in crate::sim::rds) fn check_enabled(turn: &Turn<'_>, key: &str) -> Result<(), ApiError> {
    if turn.world.fault(FaultKind::KmsDisabled).is_some() {
        Err(not_accessible(key))
    } else {
        Ok(())
    }
}

/// ARN of the region's key that `named` is an ARN, id or alias of.
pub(in crate::sim::rds) fn resolve(turn: &Turn<'_>, named: &str) -> Result<String, ApiError> {
    let alias = named.strip_prefix("arn:").and_then(|_| {
        let (place, alias) = named.rsplit_once(":alias/")?;
        (place.split(':').nth(3) == Some(turn.region.as_str())).then(|| format!("alias/{alias}"))
    });
    let wanted = alias.as_deref().unwrap_or(named);
    let own =
        |arn: &String| arn == wanted || arn.rsplit_once('/').is_some_and(|(_, id)| id == wanted);
    let found = if wanted.starts_with("alias/") {
        aliases(turn).contains(wanted).then(|| key_arn(turn.world, &turn.region, wanted))
    } else {
        in_use(turn).into_iter().find(own)
    };
    let key = found.ok_or_else(|| not_accessible(named))?;
    check_enabled(turn, &key)?;
    Ok(key)
}

/// Aliases of the region: the estate's and that of RDS itself.
fn aliases<'a>(turn: &Turn<'a>) -> BTreeSet<&'a str> {
    let here = turn.databases.values().filter(|of| of.region.as_deref() == Some(&turn.region));
    let named = here.filter_map(|database| database.kms_key.as_deref());
    named.filter(|key| key.starts_with("alias/")).chain([DEFAULT]).collect()
}

/// ARNs of the region's keys: those with an alias and those that something is encrypted with.
fn in_use(turn: &Turn<'_>) -> BTreeSet<String> {
    let region = turn.world.region(&turn.region);
    let instances = region.instances.values().filter_map(|slot| slot.current.as_ref());
    let snapshots = region.snapshots.values().filter_map(|slot| slot.current.as_ref());
    let used = instances.chain(snapshots.map(|snapshot| &snapshot.instance));
    let used = used.filter_map(|instance| instance.kms_key.clone());
    let named = aliases(turn).into_iter().map(|alias| key_arn(turn.world, &turn.region, alias));
    used.chain(named).collect()
}
