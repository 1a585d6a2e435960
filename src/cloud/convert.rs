//! Answers of the SDK as small structs of our own.
//!
//! **Invariant:** no call is made here, and a field that AWS left out stays absent.

use crate::cloud::model::{
    AutomatedBackup, DbEvent, DbInstance, DbSnapshot, Endpoint, KmsKey, Replication,
    SnapshotExport, StorageOperation,
};
use crate::cloud::time::from_sdk;
use aws_sdk_kms::types as kms;
use aws_sdk_rds::types as rds;
use std::collections::BTreeMap;

/// A database instance.
pub(crate) fn instance(from: &rds::DbInstance) -> DbInstance {
    DbInstance {
        id: text(from.db_instance_identifier()).to_ascii_lowercase(),
        arn: text(from.db_instance_arn()),
        resource_id: text(from.dbi_resource_id()),
        status: text(from.db_instance_status()),
        class: text(from.db_instance_class()),
        engine: text(from.engine()),
        engine_version: text(from.engine_version()),
        storage_gib: from.allocated_storage().unwrap_or_default(),
        storage_type: from.storage_type().map(str::to_owned),
        storage_encrypted: from.storage_encrypted().unwrap_or_default(),
        kms_key_id: from.kms_key_id().map(str::to_owned),
        multi_az: from.multi_az().unwrap_or_default(),
        publicly_accessible: from.publicly_accessible(),
        deletion_protection: from.deletion_protection().unwrap_or_default(),
        backup_retention_days: from.backup_retention_period().unwrap_or_default(),
        latest_restorable_time: from.latest_restorable_time().and_then(from_sdk),
        created_at: from.instance_create_time().and_then(from_sdk),
        endpoint: from.endpoint().and_then(endpoint),
        availability_zone: from.availability_zone().map(str::to_owned),
        subnet_group: from
            .db_subnet_group()
            .and_then(|group| group.db_subnet_group_name())
            .map(str::to_owned),
        security_groups: texts(
            from.vpc_security_groups().iter().map(|group| group.vpc_security_group_id()),
        ),
        parameter_groups: from
            .db_parameter_groups()
            .iter()
            .map(|group| {
                (text(group.db_parameter_group_name()), text(group.parameter_apply_status()))
            })
            .collect(),
        option_groups: texts(
            from.option_group_memberships().iter().map(|group| group.option_group_name()),
        ),
        log_exports: from.enabled_cloudwatch_logs_exports().to_vec(),
        replica_source: from.read_replica_source_db_instance_identifier().map(str::to_owned),
        replicas: from.read_replica_db_instance_identifiers().to_vec(),
        replication: replication(from.status_infos()),
        storage_operation: from.storage_operation_status().map(|status| StorageOperation {
            status: status.to_owned(),
            percent: from.storage_operation_percent_progress(),
        }),
        iam_authentication: from.iam_database_authentication_enabled().unwrap_or_default(),
        copy_tags_to_snapshot: from.copy_tags_to_snapshot().unwrap_or_default(),
        master_user: from.master_username().map(str::to_owned),
        database: from.db_name().map(str::to_owned),
        managed_master_secret: from.master_user_secret().is_some(),
        monitoring_interval: from.monitoring_interval().unwrap_or_default(),
        performance_insights: from.performance_insights_enabled().unwrap_or_default(),
        tags: tags(from.tag_list()),
    }
}

/// How a read replica's replication stands: `StatusInfos` of the type `read replication`.
fn replication(from: &[rds::DbInstanceStatusInfo]) -> Option<Replication> {
    let found = from.iter().find(|info| info.status_type() == Some("read replication"))?;
    Some(Replication {
        status: text(found.status()),
        message: found.message().filter(|message| !message.is_empty()).map(str::to_owned),
    })
}

/// A snapshot.
pub(crate) fn snapshot(from: &rds::DbSnapshot) -> DbSnapshot {
    DbSnapshot {
        id: text(from.db_snapshot_identifier()).to_ascii_lowercase(),
        arn: text(from.db_snapshot_arn()),
        instance: text(from.db_instance_identifier()).to_ascii_lowercase(),
        resource_id: text(from.dbi_resource_id()),
        kind: text(from.snapshot_type()),
        status: text(from.status()),
        percent: from.percent_progress(),
        created_at: from.snapshot_create_time().and_then(from_sdk),
        original_created_at: from.original_snapshot_create_time().and_then(from_sdk),
        database_time: from.snapshot_database_time().and_then(from_sdk),
        engine: text(from.engine()),
        engine_version: text(from.engine_version()),
        storage_gib: from.allocated_storage().unwrap_or_default(),
        encrypted: from.encrypted().unwrap_or_default(),
        kms_key_id: from.kms_key_id().map(str::to_owned),
        master_user: from.master_username().map(str::to_owned),
        retention_days: from.backup_retention_period(),
        iam_authentication: from.iam_database_authentication_enabled().unwrap_or_default(),
        tags: tags(from.tag_list()),
    }
}

/// An export of a snapshot.
pub(crate) fn snapshot_export(from: &rds::ExportTask) -> SnapshotExport {
    SnapshotExport {
        id: text(from.export_task_identifier()),
        source: text(from.source_arn()),
        bucket: text(from.s3_bucket()),
        prefix: from.s3_prefix().map(str::to_owned),
        status: text(from.status()),
        snapshot_at: from.snapshot_time().and_then(from_sdk),
        started_at: from.task_start_time().and_then(from_sdk),
        ended_at: from.task_end_time().and_then(from_sdk),
        failure: from.failure_cause().filter(|it| !it.is_empty()).map(str::to_owned),
    }
}

/// A KMS key; a state that AWS left out is an empty word, which no key is usable in.
pub(crate) fn key(from: &kms::KeyMetadata) -> KmsKey {
    KmsKey {
        arn: from.arn().unwrap_or(from.key_id()).to_owned(),
        state: text(from.key_state().map(kms::KeyState::as_str)),
        deletion_at: from.deletion_date().and_then(from_sdk),
    }
}

fn tags(from: &[rds::Tag]) -> BTreeMap<String, String> {
    from.iter().filter_map(|tag| Some((tag.key()?.to_owned(), text(tag.value())))).collect()
}

/// Automated backups.
pub(crate) fn automated_backup(from: &rds::DbInstanceAutomatedBackup) -> AutomatedBackup {
    let window = from.restore_window();
    AutomatedBackup {
        instance: text(from.db_instance_identifier()).to_ascii_lowercase(),
        resource_id: text(from.dbi_resource_id()),
        status: text(from.status()),
        earliest: window.and_then(|window| window.earliest_time()).and_then(from_sdk),
        latest: window.and_then(|window| window.latest_time()).and_then(from_sdk),
        encrypted: from.encrypted().unwrap_or_default(),
    }
}

/// An event; `None` when it has no time, because nothing can be ordered without one.
pub(crate) fn event(from: &rds::Event) -> Option<DbEvent> {
    Some(DbEvent {
        at: from.date().and_then(from_sdk)?,
        source: text(from.source_identifier()),
        message: text(from.message()),
        categories: from.event_categories().to_vec(),
    })
}

/// AWS sends an endpoint without an address while an instance is being created.
fn endpoint(from: &rds::Endpoint) -> Option<Endpoint> {
    let host = from.address().filter(|host| !host.is_empty())?.to_owned();
    let port = from.port().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)?;
    Some(Endpoint { host, port })
}

fn text(from: Option<&str>) -> String {
    from.unwrap_or_default().to_owned()
}

fn texts<'a>(from: impl Iterator<Item = Option<&'a str>>) -> Vec<String> {
    from.flatten().map(str::to_owned).collect()
}
