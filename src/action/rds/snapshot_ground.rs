//! What a restore from a snapshot stands on: the snapshot, and the instance that it is of, if that is left.
//!
//! **Invariant:** a snapshot of another instance, an unencrypted one, one of another account, and another
//! one than was planned are refused.

use super::restore_settings::{lost_for_good, request, restored_by_call, settings};
use super::snapshot_key::KeyState;
use crate::action::context::{ReadContext, StepScope};
use crate::action::outcome::ActionError;
use crate::base::clock::format_instant;
use crate::cloud::model::{DbInstance, DbSnapshot, RestoreRequest, RestoreSource};
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What a restore stands on.
pub(super) struct Ground {
    pub(super) snapshot: DbSnapshot,
    /// The instance that the snapshot is of, when it is still there.
    pub(super) source: Option<DbInstance>,
    /// How the new instance would be without any input.
    pub(super) like: DbInstance,
}

/// Reads what the restore of this step stands on.
pub(super) async fn ground(context: &ReadContext<'_>) -> Result<Ground, ActionError> {
    let scope = &context.scope;
    let id = scope.text("snapshot").unwrap_or_default();
    let snapshot = context.view.db_snapshot(scope.region, id).await?.ok_or_else(|| {
        ActionError::refused(
            format!("there is no snapshot `{id}` in {}", scope.region),
            "put rds.verify_snapshot before the restore; automated snapshots end with their retention",
        )
    })?;
    let source = context.view.db_instance(scope.region, &snapshot.instance).await?;
    let like = like(&snapshot, source.as_ref());
    Ok(Ground { snapshot, source, like })
}

/// The source as the snapshot has it: what the snapshot knows from the snapshot, the rest from the
/// instance as it is now.
fn like(snapshot: &DbSnapshot, source: Option<&DbInstance>) -> DbInstance {
    let mut like = source.cloned().unwrap_or_else(|| DbInstance {
        iam_authentication: snapshot.iam_authentication,
        ..DbInstance::default()
    });
    // Groups belong to a major version: those of an upgraded source would be refused.
    let major = |version: &str| version.split('.').next().map(str::to_owned);
    if major(&like.engine_version) != major(&snapshot.engine_version) {
        like.parameter_groups.clear();
        like.option_groups.clear();
    }
    like.id.clone_from(&snapshot.instance);
    like.engine.clone_from(&snapshot.engine);
    like.engine_version.clone_from(&snapshot.engine_version);
    like.storage_gib = snapshot.storage_gib;
    like.storage_encrypted = snapshot.encrypted;
    like.kms_key_id.clone_from(&snapshot.kms_key_id);
    like.master_user.clone_from(&snapshot.master_user);
    like
}

/// What keeps this snapshot from being restored by this step, and what to do about it.
pub(super) fn obstacle(
    scope: &StepScope<'_>,
    snapshot: &DbSnapshot,
) -> Option<(String, &'static str)> {
    let id = &snapshot.id;
    let source = scope.text("source").unwrap_or_default();
    if !snapshot.instance.eq_ignore_ascii_case(source) {
        let why = format!("snapshot `{id}` is of `{}`, not of `{source}`", snapshot.instance);
        return Some((why, "choose a snapshot of this database, or name its instance as `source`"));
    }
    if snapshot.is_broken() {
        let why = format!("snapshot `{id}` is `{}`", snapshot.status);
        return Some((why, "choose another snapshot"));
    }
    if !snapshot.encrypted {
        let why = format!("snapshot `{id}` is not encrypted, and so its restore would not be");
        let help =
            "copy it with a key (aws rds copy-db-snapshot --kms-key-id …) and restore the copy";
        return Some((why, help));
    }
    let account = snapshot.arn.split(':').nth(4).unwrap_or_default();
    if !account.is_empty() && account != scope.environment.account {
        let why = format!(
            "snapshot `{id}` is encrypted and belongs to account {account}: AWS restores no shared \
             encrypted snapshot directly"
        );
        return Some((why, "copy it into this account first (aws rds copy-db-snapshot)"));
    }
    let planned = scope.planned_time("restore_time");
    let millis = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp_millis());
    if planned.is_some() && millis(snapshot.data_at()) != millis(planned) {
        let why = format!(
            "snapshot `{id}` is of {}, and the plan was made for one of {}",
            shown(snapshot),
            planned.map(format_instant).unwrap_or_default()
        );
        return Some((why, "somebody replaced it: plan again"));
    }
    None
}

fn shown(snapshot: &DbSnapshot) -> String {
    snapshot.data_at().map_or_else(|| "an unknown instant".to_owned(), format_instant)
}

/// The call of this step.
pub(super) fn call(scope: &StepScope<'_>, ground: &Ground) -> Result<RestoreRequest, ActionError> {
    if ground.source.is_none() && scope.texts("security_groups").is_none_or(|list| list.is_empty())
    {
        return Err(ActionError::Input {
            name: "security_groups".to_owned(),
            why: format!(
                "`{}` is not in {}, so its security groups are not known, and without any the \
                 VPC's default group would be used: say which",
                ground.like.id, scope.region
            ),
        });
    }
    let from = RestoreSource::Snapshot {
        instance: ground.like.id.clone(),
        snapshot: scope.text("snapshot").unwrap_or_default().to_owned(),
    };
    let mut request = request(scope, from, &ground.like);
    // A snapshot does not say its class: where the source does, the call does.
    let class = Some(&ground.like.class).filter(|class| !class.is_empty());
    request.class = request.class.or_else(|| class.cloned());
    Ok(request)
}

/// What is predicted of the new instance; of a lost source less is known.
pub(super) fn predictions(ground: &Ground, predicted: &DbInstance) -> BTreeMap<String, Json> {
    let mut settings = settings(predicted);
    if predicted.class.is_empty() {
        settings.remove("class");
    }
    if predicted.subnet_group.is_none() {
        settings.remove("subnet_group");
    }
    for (name, none) in [
        ("parameter_groups", predicted.parameter_groups.is_empty()),
        ("option_groups", predicted.option_groups.is_empty() || ground.source.is_none()),
    ] {
        if none {
            settings.remove(name);
        }
    }
    settings
}

/// What the restore keeps and loses, one a line.
pub(super) fn details(ground: &Ground, request: &RestoreRequest, key: &KeyState) -> Vec<String> {
    let snapshot = &ground.snapshot;
    let mut details = vec![format!(
        "{} snapshot of {}, {} GiB, engine {}, key {}",
        snapshot.kind,
        shown(snapshot),
        snapshot.storage_gib,
        snapshot.engine_version,
        key.word()
    )];
    details.push(match &ground.source {
        Some(source) => format!("settings that nobody asked for are those of `{}`", source.id),
        None => format!(
            "`{}` is not there: settings come from the snapshot and the inputs",
            snapshot.instance
        ),
    });
    details.extend(restored_by_call(&ground.like, request));
    details.extend(
        lost_for_good(&ground.like)
            .into_iter()
            .map(|what| format!("lost, and not settable in the call: {what}")),
    );
    details
}

/// What deserves attention before the restore.
pub(super) fn warnings(ground: &Ground, request: &RestoreRequest, key: &KeyState) -> Vec<String> {
    let Ground { snapshot, source, .. } = ground;
    let mut list = Vec::new();
    if let KeyState::NotReadable(why) = key {
        list.push(why.clone());
    }
    if !snapshot.is_available() {
        list.push(format!("snapshot `{}` is `{}`: the run waits", snapshot.id, snapshot.status));
    }
    if request.subnet_group.is_none() {
        list.push("no subnet group is known: the default one will be used".to_owned());
    }
    if request.parameter_group.is_none() {
        list.push("no parameter group is known: the engine's default will be used".to_owned());
    }
    if let Some(source) = source
        && source.engine_version != snapshot.engine_version
    {
        list.push(format!(
            "the snapshot has engine {}, `{}` has {} now",
            snapshot.engine_version, source.id, source.engine_version
        ));
    }
    list
}
