//! Names and values of faults, right and wrong.
//!
//! **Invariant:** what is refused says what would be right.

use super::*;
use std::time::Duration;

#[test]
fn reads_names_and_values() {
    for text in [
        "throttled",
        "throttled=3",
        "throttled=0.5",
        "lost-answer=DeleteDBInstance",
        "stale-read=90",
        "stale-read=2m",
        "slow=2.5",
        "wrong-restore=stale",
        "kms-disabled",
        "replica-lag-cliff=2h",
        "replica-lag-unknown",
        "promotion-stuck",
        "export-failed",
        "deployment-fails",
        "tasks-never-start",
        "tasks-linger",
        "tasks-linger=2m",
        "service-unhealthy=web-green",
        "service-unhealthy=web-green/after=10m",
        "control-plane-down",
        "control-plane-down=us-east-1",
        "control-plane-down=us-gov-west-1/hang",
        "control-plane-down=hang",
        "region-lost=us-east-1",
        "region-lost=us-east-1/hang/after=5m/for=2h",
        "clock-skew=10m",
        "clock-skew=-600",
        "journal-disk-full",
        "journal-disk-full=12",
        "replication-stopped",
        "replication-fails",
        "replication-fails=0.1",
        "replication-slow=2h",
        "prefix-rate=20",
    ] {
        assert_eq!(FaultSpec::parse(text).expect(text).text, text);
    }
    assert_eq!(span("2m"), Some(Duration::from_secs(120)));
}

#[test]
fn refuses_what_it_does_not_know() {
    for (text, part) in [
        ("throtled", "did you mean `throttled`?"),
        ("", "no such fault"),
        ("throttled=often", "number of calls"),
        ("throttled=1.5", "number of calls"),
        ("wrong-restore", "`stale`"),
        ("wrong-restore=odd", "`stale`"),
        ("slow=0", "a factor"),
        ("slow=NaN", "a factor"),
        ("stale-read=soon", "seconds or a duration"),
        ("stale-read=-5", "seconds or a duration"),
        ("lost-answer=", "name of an operation"),
        ("kms-disabled=yes", "takes no value"),
        ("control-plane-down=Mars", "a region"),
        ("control-plane-down=us-east-1/slow", "a region"),
        ("region-lost", "a region such as"),
        ("region-lost=us-east-1/for=ever", "a region such as"),
        ("clock-skew=--5", "or `-10m`"),
        ("journal-disk-full=0", "number of an append"),
        ("journal-disk-full=1.5", "number of an append"),
        ("prefix-rate=0", "requests a second"),
        ("replication-slow=soon", "seconds or a duration"),
    ] {
        let shown = FaultSpec::parse(text).expect_err(text);
        assert!(shown.contains(part), "{text}: {shown}");
    }
}

#[test]
fn every_fault_is_described_once() {
    for entry in FAULTS {
        let named = FAULTS.iter().filter(|other| other.name == entry.name).count();
        let kinds = FAULTS.iter().filter(|other| other.kind == entry.kind).count();
        assert_eq!((named, kinds), (1, 1), "{}", entry.name);
        assert!(entry.meaning.ends_with('.'), "{}", entry.name);
        let serialised = serde_json::to_value(entry.kind).expect("a text");
        assert_eq!(serialised, entry.name, "one name in files and in worlds");
    }
}
