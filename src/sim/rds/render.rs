//! Instances and subnet groups as XML.
//!
//! **Invariant:** a member that AWS leaves out in a state is left out here: no endpoint while
//! creating, no restorable time before the first backup.

use crate::base::clock::format_instant;
use crate::sim::state::{Instance, Status, World};
use crate::sim::world::instance_key;
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
    if status != Status::Creating {
        xml.leaf("AvailabilityZone", format!("{region}{}", of.zone));
    }
    if of.settings.multi_az && status != Status::Creating {
        let other = if of.zone == 'a' { 'b' } else { 'a' };
        xml.leaf("SecondaryAvailabilityZone", format!("{region}{other}"));
    }
}

fn settings(xml: &mut Xml, of: &Instance) {
    let s = &of.settings;
    xml.leaf("DBInstanceClass", &s.class);
    xml.leaf("AllocatedStorage", s.storage_gib);
    xml.leaf("StorageType", &s.storage_type);
    xml.optional("Iops", s.iops);
    xml.leaf("BackupRetentionPeriod", s.retention_days);
    xml.leaf("PreferredBackupWindow", &s.backup_window);
    xml.leaf("PreferredMaintenanceWindow", "sun:05:00-sun:05:30");
    xml.leaf("AutoMinorVersionUpgrade", false);
    xml.leaf("LicenseModel", "postgresql-license");
    xml.leaf("MultiAZ", s.multi_az);
    xml.leaf("PubliclyAccessible", s.publicly_accessible);
    xml.leaf("DeletionProtection", s.deletion_protection);
    xml.leaf("CopyTagsToSnapshot", s.copy_tags_to_snapshot);
    xml.leaf("IAMDatabaseAuthenticationEnabled", s.iam_auth);
    xml.leaf("MonitoringInterval", s.monitoring_seconds);
    xml.leaf("PerformanceInsightsEnabled", false);
    xml.leaf("DbInstancePort", 0);
    xml.leaf("CACertificateIdentifier", "rds-ca-rsa2048-g1");
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
            let major = of.engine_version.split('.').next().unwrap_or_default();
            xml.leaf("OptionGroupName", format!("default:{}-{major}", of.engine));
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
    let replicas = world.regions.keys().flat_map(|place| {
        world.seen_instances(place, now).filter_map(move |other| {
            let source = other.replica_of.as_deref()?;
            let same = match source.strip_prefix("arn:") {
                Some(_) => source == world.arn(region, "db", &of.id),
                None => place == region && instance_key(source) == of.id,
            };
            let shown = || {
                if place == region { other.id.clone() } else { world.arn(place, "db", &other.id) }
            };
            same.then(shown)
        })
    });
    xml.leaves("ReadReplicaDBInstanceIdentifiers", "ReadReplicaDBInstanceIdentifier", replicas);
    xml.element("StatusInfos", |xml| {
        if of.replica_of.is_some() {
            xml.element("DBInstanceStatusInfo", |xml| {
                xml.leaf("StatusType", "read replication");
                xml.leaf("Normal", true);
                xml.leaf("Status", "replicating");
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
