//! Instances and subnet groups as XML.
//!
//! **Invariant:** a member that AWS leaves out in a state is left out here: no endpoint while
//! creating, no restorable time before the first backup.

use crate::base::clock::format_instant;
use crate::sim::rds::choices::CERTIFICATE;
use crate::sim::replication::Replicating;
use crate::sim::state::{Instance, Status, World};
use crate::sim::xml::Xml;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// `<DBInstance>`.
pub(in crate::sim::rds) fn instance(
    xml: &mut Xml,
    world: &World,
    region: &str,
    instance: &Instance,
    now: DateTime<Utc>,
) {
    xml.element("DBInstance", |xml| {
        identity(xml, world, region, instance, now);
        settings(xml, instance);
        network(xml, world, region, instance);
        replication(xml, world, region, instance, now);
        pending(xml, instance);
        storage_operation(xml, instance, now);
        tags(xml, &instance.tags);
    });
}

fn identity(xml: &mut Xml, world: &World, region: &str, of: &Instance, now: DateTime<Utc>) {
    let status = of.status(now);
    xml.leaf("DBInstanceIdentifier", &of.id);
    xml.leaf("DBInstanceArn", world.arn(region, "db", &of.id));
    xml.leaf("DbiResourceId", &of.resource_id);
    xml.leaf("DBInstanceStatus", status.name());
    xml.leaf("Engine", &of.engine);
    xml.leaf("EngineVersion", &of.engine_version);
    xml.leaf("MasterUsername", &of.user);
    xml.leaf("DBName", &of.db_name);
    let reachable = of.created.filter(|created| *created <= now);
    if reachable.is_some() && status != Status::IncompatibleRestore {
        xml.element("Endpoint", |xml| {
            xml.leaf("Address", world.address(region, &of.id));
            xml.leaf("Port", of.settings.port);
            xml.leaf("HostedZoneId", "Z0SIMULATEDRDS");
        });
    }
    xml.optional("InstanceCreateTime", reachable.map(format_instant));
    let window = world.window(of, now).filter(|_| status != Status::Creating);
    xml.optional("LatestRestorableTime", window.map(|window| format_instant(window.latest)));
    xml.leaf("StorageEncrypted", of.kms_key.is_some());
    xml.optional("KmsKeyId", of.kms_key.as_deref());
    let zone = of.shown_zone(now);
    if status != Status::Creating {
        xml.leaf("AvailabilityZone", format!("{region}{zone}"));
    }
    if of.settings.multi_az && status != Status::Creating {
        xml.leaf("SecondaryAvailabilityZone", format!("{region}{}", other_zone(zone)));
    }
    let restarts = of.phases.iter().find(|phase| phase.status == Status::Starting);
    if status == Status::Stopped {
        xml.optional("AutomaticRestartTime", restarts.map(|phase| format_instant(phase.from)));
    }
}

/// The other one of the two zones.
pub(in crate::sim::rds) fn other_zone(zone: char) -> char {
    if zone == 'a' { 'b' } else { 'a' }
}

/// `LicenseModel`.
pub(in crate::sim::rds) fn license(engine: &str) -> &'static str {
    if engine == "postgres" { "postgresql-license" } else { "general-public-license" }
}

fn settings(xml: &mut Xml, of: &Instance) {
    let s = &of.settings;
    xml.leaf("DBInstanceClass", &s.class);
    xml.leaf("AllocatedStorage", s.storage_gib);
    xml.leaf("StorageType", &s.storage_type);
    xml.optional("Iops", s.iops);
    xml.leaf("BackupRetentionPeriod", s.retention_days);
    xml.leaf("PreferredBackupWindow", &s.backup_window);
    xml.leaf("PreferredMaintenanceWindow", &s.maintenance_window);
    xml.leaf("AutoMinorVersionUpgrade", s.auto_minor_upgrade);
    xml.leaf("LicenseModel", license(&of.engine));
    xml.leaf("MultiAZ", s.multi_az);
    xml.leaf("PubliclyAccessible", s.publicly_accessible);
    xml.leaf("DeletionProtection", s.deletion_protection);
    xml.leaf("CopyTagsToSnapshot", s.copy_tags_to_snapshot);
    xml.leaf("IAMDatabaseAuthenticationEnabled", s.iam_auth);
    xml.leaf("MonitoringInterval", s.monitoring_seconds);
    xml.leaf("PerformanceInsightsEnabled", s.performance_insights);
    xml.leaf("DbInstancePort", 0);
    xml.leaf("CACertificateIdentifier", CERTIFICATE);
    xml.leaf("NetworkType", "IPV4");
    xml.leaf("BackupTarget", "region");
    xml.leaf("CustomerOwnedIpEnabled", false);
    if !s.log_exports.is_empty() {
        xml.leaves("EnabledCloudwatchLogsExports", "member", &s.log_exports);
    }
}

fn network(xml: &mut Xml, world: &World, region: &str, of: &Instance) {
    xml.element("VpcSecurityGroups", |xml| {
        for group in &of.settings.security_groups {
            xml.element("VpcSecurityGroupMembership", |xml| {
                xml.leaf("VpcSecurityGroupId", group);
                xml.leaf("Status", "active");
            });
        }
    });
    xml.element("DBParameterGroups", |xml| {
        xml.element("DBParameterGroup", |xml| {
            xml.leaf("DBParameterGroupName", &of.settings.parameter_group);
            xml.leaf("ParameterApplyStatus", &of.settings.parameter_status);
        });
    });
    xml.element("OptionGroupMemberships", |xml| {
        xml.element("OptionGroupMembership", |xml| {
            let family = of.family("-").replace('.', "-");
            xml.leaf("OptionGroupName", format!("default:{family}"));
            xml.leaf("Status", "in-sync");
        });
    });
    let name = &of.settings.subnet_group;
    let vpc = world.region(region).subnet_groups.get(name).map_or("", String::as_str);
    subnet_group(xml, world, region, name, vpc);
}

/// `<DBSubnetGroup>`.
pub(in crate::sim::rds) fn subnet_group(
    xml: &mut Xml,
    world: &World,
    region: &str,
    name: &str,
    vpc: &str,
) {
    xml.element("DBSubnetGroup", |xml| {
        xml.leaf("DBSubnetGroupName", name);
        xml.leaf("DBSubnetGroupDescription", format!("{name} (simulated)"));
        xml.leaf("VpcId", vpc);
        xml.leaf("SubnetGroupStatus", "Complete");
        xml.element("Subnets", |xml| {
            for zone in ['a', 'b'] {
                let number = world.seed().derive(&format!("ec2/{region}/{name}/{zone}")) >> 8;
                xml.element("Subnet", |xml| {
                    xml.leaf("SubnetIdentifier", format!("subnet-{number:014x}"));
                    xml.element("SubnetAvailabilityZone", |xml| {
                        xml.leaf("Name", format!("{region}{zone}"));
                    });
                    xml.leaf("SubnetStatus", "Active");
                });
            }
        });
        xml.leaf("DBSubnetGroupArn", world.arn(region, "subgrp", name));
    });
}

fn replication(xml: &mut Xml, world: &World, region: &str, of: &Instance, now: DateTime<Utc>) {
    xml.optional("ReadReplicaSourceDBInstanceIdentifier", of.replica_of.as_deref());
    let shown = |place: &String, other: &Instance| match place == region {
        true => other.id.clone(),
        false => world.arn(place, "db", &other.id),
    };
    let replicas = world.regions.keys().flat_map(|place| {
        let others = world.seen_instances(place, now);
        let ours = others.filter(move |other| world.follows((place, other), (region, of)));
        ours.map(move |other| shown(place, other))
    });
    xml.leaves("ReadReplicaDBInstanceIdentifiers", "ReadReplicaDBInstanceIdentifier", replicas);
    xml.element("StatusInfos", |xml| {
        let Some(state) = world.replicating(region, of, now) else { return };
        xml.element("DBInstanceStatusInfo", |xml| {
            xml.leaf("StatusType", "read replication");
            xml.leaf("Normal", state == Replicating::Active);
            xml.leaf("Status", state.name());
        });
    });
    backup_replications(xml, world, region, of);
}

/// `<DBInstanceAutomatedBackupsReplications>`, when the backups are copied to other regions.
pub(in crate::sim::rds) fn backup_replications(
    xml: &mut Xml,
    world: &World,
    region: &str,
    of: &Instance,
) {
    let copied = world.regions.iter().filter_map(|(place, there)| {
        let kept = there.replicated.get(&of.resource_id)?;
        let own = kept.source_region == region && kept.stopped.is_none();
        own.then(|| world.auto_backup_arn(place, &of.resource_id))
    });
    let copied: Vec<String> = copied.collect();
    if copied.is_empty() {
        return;
    }
    xml.element("DBInstanceAutomatedBackupsReplications", |xml| {
        for arn in copied {
            xml.element("DBInstanceAutomatedBackupsReplication", |xml| {
                xml.leaf("DBInstanceAutomatedBackupsArn", arn);
            });
        }
    });
}

fn pending(xml: &mut Xml, of: &Instance) {
    xml.element("PendingModifiedValues", |xml| {
        let Some(pending) = &of.pending else { return };
        let (old, new) = (&of.settings, &pending.settings);
        let class = (old.class != new.class).then_some(&new.class);
        xml.optional("DBInstanceClass", class);
        let storage = (old.storage_gib != new.storage_gib).then_some(new.storage_gib);
        xml.optional("AllocatedStorage", storage);
        xml.optional("MasterUserPassword", (old.password != new.password).then_some("****"));
        let days = (old.retention_days != new.retention_days).then_some(new.retention_days);
        xml.optional("BackupRetentionPeriod", days);
        xml.optional("MultiAZ", (old.multi_az != new.multi_az).then_some(new.multi_az));
        xml.optional("EngineVersion", pending.engine_version.as_deref());
        xml.optional("Port", (old.port != new.port).then_some(new.port));
        xml.optional("Iops", new.iops.filter(|_| old.iops != new.iops));
        let kind = (old.storage_type != new.storage_type).then_some(&new.storage_type);
        xml.optional("StorageType", kind);
        xml.optional("DBInstanceIdentifier", pending.rename.as_deref());
    });
}

fn storage_operation(xml: &mut Xml, of: &Instance, now: DateTime<Utc>) {
    let Some((from, until)) = of.hydration.filter(|(from, until)| *from <= now && now < *until)
    else {
        return;
    };
    let (passed, whole) = ((now - from).num_milliseconds(), (until - from).num_milliseconds());
    xml.leaf("StorageOperationStatus", "Initializing");
    xml.leaf("StorageOperationPercentProgress", (passed * 100 / whole.max(1)).clamp(0, 99));
}

/// `<TagList>`.
pub(in crate::sim::rds) fn tags(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    xml.element("TagList", |xml| {
        for (key, value) in tags {
            xml.element("Tag", |xml| {
                xml.leaf("Key", key);
                xml.leaf("Value", value);
            });
        }
    });
}
