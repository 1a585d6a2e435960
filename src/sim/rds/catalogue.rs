//! `DescribeDBEngineVersions`, `DescribeOrderableDBInstanceOptions`, `DescribeSourceRegions`,
//! `DescribeAccountAttributes`.
//!
//! **Invariant:** what is listed here can be created, and what can be created is listed, besides the
//! versions that an estate already runs.

use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::rds::begin::{INSTANCE_QUOTA, STORAGE_QUOTA_GIB, used};
use crate::sim::rds::snapshots::SNAPSHOT_QUOTA;
use crate::sim::rds::{page, render};
use crate::sim::xml::Xml;

/// Engines with their versions; the first version is the default.
const ENGINES: [(&str, &str, &[&str]); 3] = [
    (
        "postgres",
        "PostgreSQL",
        &["16.4", "13.15", "14.12", "15.3", "15.4", "15.7", "15.8", "16.3", "17.2"],
    ),
    ("mysql", "MySQL Community Edition", &["8.0.39", "8.0.35", "8.4.3"]),
    ("mariadb", "MariaDb Community Edition", &["10.11.8", "10.6.18"]),
];

/// Instance classes.
const CLASSES: [&str; 10] = [
    "db.t3.micro",
    "db.t3.medium",
    "db.t4g.micro",
    "db.t4g.medium",
    "db.m6g.large",
    "db.m6g.xlarge",
    "db.r6g.large",
    "db.r6g.xlarge",
    "db.r6g.2xlarge",
    "db.r6g.4xlarge",
];

/// The engine's default version; `None` when there is no such engine.
pub(in crate::sim::rds) fn default_version(engine: &str) -> Option<&'static str> {
    let (_, _, versions) = ENGINES.iter().find(|(name, _, _)| *name == engine)?;
    versions.first().copied()
}

/// The newest version that `asked` names, in full or as its major number.
pub(in crate::sim::rds) fn version(engine: &str, asked: &str) -> Option<&'static str> {
    let (_, _, versions) = ENGINES.iter().find(|(name, _, _)| *name == engine)?;
    let named = versions.iter().filter(|known| **known == asked || major(engine, known) == asked);
    named.max_by_key(|known| numbers(known)).copied()
}

/// The numbers of a version, to compare it with others.
pub(in crate::sim::rds) fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// Whether the engine has the version.
pub(in crate::sim::rds) fn has_version(engine: &str, version: &str) -> bool {
    ENGINES.iter().any(|(name, _, versions)| *name == engine && versions.contains(&version))
}

/// The major part of a version: `15`, or `8.0` of engines other than PostgreSQL.
pub(in crate::sim::rds) fn major<'a>(engine: &str, version: &'a str) -> &'a str {
    let parts = if engine == "postgres" { 1 } else { 2 };
    let end = version.match_indices('.').nth(parts - 1).map_or(version.len(), |(at, _)| at);
    &version[..end]
}

/// `DescribeDBEngineVersions`.
pub(in crate::sim::rds) fn engine_versions(turn: &mut Turn<'_>) -> Outcome {
    let params = &turn.params;
    let (engine, asked) = (params.text("Engine"), params.text("EngineVersion"));
    let default_only = params.flag("DefaultOnly")?.unwrap_or(false);
    let mut found = Vec::new();
    for (name, title, versions) in ENGINES {
        for version in versions {
            let wanted = engine.is_none_or(|engine| engine == name)
                && asked.is_none_or(|asked| asked == *version || asked == major(name, version))
                && (!default_only || default_version(name) == Some(*version));
            if wanted {
                found.push((name, title, *version));
            }
        }
    }
    found.sort_unstable();
    let key = |(name, _, version): &(&str, &str, &str)| format!("{name}/{version}");
    let (page, marker) = page::cut(params, found, key)?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.element("DBEngineVersions", |xml| {
        for (name, title, version) in page {
            xml.element("DBEngineVersion", |xml| {
                xml.leaf("Engine", name);
                xml.leaf("EngineVersion", version);
                xml.leaf("MajorEngineVersion", major(name, version));
                xml.leaf("DBParameterGroupFamily", format!("{name}{}", major(name, version)));
                xml.leaf("DBEngineDescription", title);
                xml.leaf("DBEngineVersionDescription", format!("{title} {version}"));
                xml.leaf("SupportsReadReplica", true);
                xml.leaf("Status", "available");
            });
        }
    });
    Ok(Body::Result(Some(xml)))
}

/// `DescribeOrderableDBInstanceOptions`.
pub(in crate::sim::rds) fn orderable(turn: &mut Turn<'_>) -> Outcome {
    let engine = turn.params.required("Engine")?;
    let Some((_, _, versions)) = ENGINES.iter().find(|(name, _, _)| *name == engine) else {
        let message = format!("Unrecognized engine name: {engine}");
        return Err(ApiError::sender("InvalidParameterValue", message));
    };
    let (asked, class) = (turn.params.text("EngineVersion"), turn.params.text("DBInstanceClass"));
    let versions = versions.iter().filter(|version| asked.is_none_or(|asked| asked == **version));
    let mut found: Vec<(&str, &str)> = versions
        .flat_map(|version| CLASSES.iter().map(move |class| (*version, *class)))
        .filter(|(_, found)| class.is_none_or(|class| class == *found))
        .collect();
    found.sort_unstable();
    let (page, marker) =
        page::cut(&turn.params, found, |(version, class)| format!("{version}/{class}"))?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.element("OrderableDBInstanceOptions", |xml| {
        for (version, class) in page {
            xml.element("OrderableDBInstanceOption", |xml| {
                xml.leaf("Engine", engine);
                xml.leaf("EngineVersion", version);
                xml.leaf("DBInstanceClass", class);
                xml.leaf("LicenseModel", render::license(engine));
                xml.element("AvailabilityZones", |xml| {
                    for zone in ['a', 'b'] {
                        xml.element("AvailabilityZone", |xml| {
                            xml.leaf("Name", format!("{}{zone}", turn.region));
                        });
                    }
                });
                xml.leaf("MultiAZCapable", true);
                xml.leaf("ReadReplicaCapable", true);
                xml.leaf("Vpc", true);
                xml.leaf("SupportsStorageEncryption", true);
                xml.leaf("StorageType", "gp3");
            });
        }
    });
    Ok(Body::Result(Some(xml)))
}

/// `DescribeAccountAttributes`.
pub(in crate::sim::rds) fn account(turn: &mut Turn<'_>) -> Outcome {
    let (instances, gib) = used(turn);
    let region = turn.world.region(&turn.region);
    let snapshots = region.snapshots.values().filter(|slot| slot.current.is_some()).count();
    let quotas = [
        ("DBInstances", instances as u64, INSTANCE_QUOTA as u64),
        ("AllocatedStorage", gib, STORAGE_QUOTA_GIB),
        ("ManualSnapshots", snapshots as u64, SNAPSHOT_QUOTA as u64),
    ];
    let mut xml = Xml::default();
    xml.element("AccountQuotas", |xml| {
        for (name, used, most) in quotas {
            xml.element("AccountQuota", |xml| {
                xml.leaf("AccountQuotaName", name);
                xml.leaf("Used", used);
                xml.leaf("Max", most);
            });
        }
    });
    Ok(Body::Result(Some(xml)))
}

/// `DescribeSourceRegions`: the other regions that have something.
pub(in crate::sim::rds) fn source_regions(turn: &mut Turn<'_>) -> Outcome {
    let wanted = turn.params.text("RegionName");
    let others = turn.world.regions.keys().filter(|name| **name != turn.region);
    let found: Vec<&String> =
        others.filter(|name| wanted.is_none_or(|wanted| wanted == name.as_str())).collect();
    let (page, marker) = page::cut(&turn.params, found, |name| (*name).clone())?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.element("SourceRegions", |xml| {
        for name in page {
            xml.element("SourceRegion", |xml| {
                xml.leaf("RegionName", name);
                xml.leaf("Endpoint", format!("https://rds.{name}.amazonaws.com"));
                xml.leaf("Status", "available");
                xml.leaf("SupportsDBInstanceAutomatedBackupsReplication", true);
            });
        }
    });
    Ok(Body::Result(Some(xml)))
}
