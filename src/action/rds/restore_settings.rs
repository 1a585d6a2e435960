//! What a restored instance is to look like: asked for, else like its source, never AWS's silent default.
//!
//! **Invariant:** every setting that a restore loses and that its call can set, is set.

use crate::action::context::StepScope;
use crate::action::spec::Field;
use crate::base::ids::rds_name;
use crate::base::value::Type;
use crate::cloud::model::{DbInstance, RestoreRequest, RestoreSource};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// The inputs by which a step asks for other settings than the source's.
pub(super) fn settings_inputs() -> Vec<Field> {
    vec![
        Field::optional("class", Type::String, "instance class; the source's when absent"),
        Field::optional("subnet_group", Type::String, "the source's when absent"),
        Field::optional("security_groups", Type::texts(), "the source's when absent"),
        Field::optional("parameter_group", Type::String, "the source's when absent"),
        Field::optional("option_group", Type::String, "the source's when absent"),
        Field::optional("multi_az", Type::Bool, "off when absent"),
        Field::optional("deletion_protection", Type::Bool, "off when absent"),
        Field::optional("log_exports", Type::texts(), "the source's when absent"),
        Field::optional(
            "wait_for",
            Type::OneOf(&["available", "hydrated"]),
            "`hydrated` waits until storage has loaded all its blocks; `available` when absent",
        ),
    ]
}

/// The restore call for this step, settings that nobody asked for taken from `source`.
pub(super) fn request(
    scope: &StepScope<'_>,
    from: RestoreSource,
    source: &DbInstance,
) -> RestoreRequest {
    let parameter_group = source.parameter_groups.first().map(|(name, _)| name.clone());
    RestoreRequest {
        target: rds_name(from.instance(), scope.run, scope.step),
        from,
        class: scope.text("class").map(str::to_owned),
        subnet_group: text_or(scope, "subnet_group", source.subnet_group.clone()),
        security_groups: scope
            .texts("security_groups")
            .unwrap_or_else(|| source.security_groups.clone()),
        parameter_group: text_or(scope, "parameter_group", parameter_group),
        option_group: text_or(scope, "option_group", own_option_group(source)),
        multi_az: scope.boolean("multi_az").unwrap_or(false),
        deletion_protection: scope.boolean("deletion_protection").unwrap_or(false),
        log_exports: scope.texts("log_exports").unwrap_or_else(|| source.log_exports.clone()),
        iam_authentication: source.iam_authentication,
        copy_tags_to_snapshot: source.copy_tags_to_snapshot,
        tags: scope.tags(),
    }
}

/// The source's option group unless it is one of AWS's defaults, which a restore picks by itself and
/// which exist only once an instance uses them.
fn own_option_group(source: &DbInstance) -> Option<String> {
    source.option_groups.first().filter(|name| !name.starts_with("default:")).cloned()
}

fn text_or(scope: &StepScope<'_>, name: &str, fallback: Option<String>) -> Option<String> {
    scope.text(name).map(str::to_owned).or(fallback)
}

/// The instance that the call will make, as far as it is known before.
pub(super) fn predicted_instance(source: &DbInstance, request: &RestoreRequest) -> DbInstance {
    DbInstance {
        id: request.target.clone(),
        status: "available".to_owned(),
        class: request.class.clone().unwrap_or_else(|| source.class.clone()),
        engine: source.engine.clone(),
        engine_version: source.engine_version.clone(),
        storage_gib: source.storage_gib,
        storage_encrypted: source.storage_encrypted,
        kms_key_id: source.kms_key_id.clone(),
        multi_az: request.multi_az,
        publicly_accessible: Some(false),
        deletion_protection: request.deletion_protection,
        backup_retention_days: source.backup_retention_days,
        subnet_group: request.subnet_group.clone(),
        security_groups: request.security_groups.clone(),
        parameter_groups: request
            .parameter_group
            .iter()
            .map(|name| (name.clone(), "in-sync".to_owned()))
            .collect(),
        option_groups: match &request.option_group {
            Some(name) => vec![name.clone()],
            None => source.option_groups.clone(),
        },
        log_exports: request.log_exports.clone(),
        iam_authentication: request.iam_authentication,
        copy_tags_to_snapshot: request.copy_tags_to_snapshot,
        master_user: source.master_user.clone(),
        database: source.database.clone(),
        tags: request.tags.clone(),
        ..DbInstance::default()
    }
}

/// The settings of an instance under stable names: what is predicted, and what is compared after.
pub(super) fn settings(instance: &DbInstance) -> BTreeMap<String, Json> {
    let mut security_groups = instance.security_groups.clone();
    security_groups.sort();
    let mut log_exports = instance.log_exports.clone();
    log_exports.sort();
    let parameter_groups: Vec<&str> =
        instance.parameter_groups.iter().map(|(name, _)| name.as_str()).collect();
    let own_tags = instance.tags.keys().filter(|key| key.starts_with("drctl:")).count();
    [
        ("instance", json!(instance.id)),
        ("class", json!(instance.class)),
        ("engine_version", json!(instance.engine_version)),
        ("storage_gib", json!(instance.storage_gib)),
        ("storage_encrypted", json!(instance.storage_encrypted)),
        ("kms_key", json!(instance.kms_key_id)),
        ("multi_az", json!(instance.multi_az)),
        ("publicly_accessible", json!(instance.publicly_accessible)),
        ("deletion_protection", json!(instance.deletion_protection)),
        ("subnet_group", json!(instance.subnet_group)),
        ("security_groups", json!(security_groups)),
        ("parameter_groups", json!(parameter_groups)),
        ("option_groups", json!(instance.option_groups)),
        ("log_exports", json!(log_exports)),
        ("drctl_tags", json!(own_tags)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// What a restore loses and no creating call can set, as far as the source has it.
pub(super) fn lost_for_good(source: &DbInstance) -> Vec<String> {
    let mut lost = Vec::new();
    if source.monitoring_interval > 0 {
        lost.push(format!("enhanced monitoring every {} s", source.monitoring_interval));
    }
    if source.performance_insights {
        lost.push("Performance Insights".to_owned());
    }
    if source.managed_master_secret {
        lost.push("the managed master password (the old password stays valid)".to_owned());
    }
    if !source.replicas.is_empty() {
        lost.push(format!("read replicas: {}", source.replicas.join(", ")));
    }
    lost.push("the endpoint name, the resource id, alarms, event subscriptions and the maintenance window".to_owned());
    lost
}

/// What AWS would have set silently, and what is set instead.
pub(super) fn restored_by_call(source: &DbInstance, request: &RestoreRequest) -> Vec<String> {
    let or_default =
        |value: &Option<String>| value.clone().unwrap_or_else(|| "the default".to_owned());
    vec![
        format!(
            "security groups: the VPC's default would be used; set to {}",
            list(&request.security_groups)
        ),
        format!(
            "subnet group: the default would be used; set to {}",
            or_default(&request.subnet_group)
        ),
        format!(
            "parameter group: the engine's default would be used; set to {}",
            or_default(&request.parameter_group)
        ),
        format!("log exports: none would be kept; set to {}", list(&request.log_exports)),
        format!(
            "deletion protection: would be off; set to {} (source: {})",
            request.deletion_protection, source.deletion_protection
        ),
        format!(
            "Multi-AZ: would be off; set to {} (source: {})",
            request.multi_az, source.multi_az
        ),
        "public access: would follow the subnet group; set to false".to_owned(),
    ]
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}
