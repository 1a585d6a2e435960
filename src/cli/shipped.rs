//! The runbooks, drills and estates that are part of the binary, so that it works anywhere.
//!
//! **Invariant:** every YAML file of the three directories is here, under its file's name.

use crate::cli::project::FileKind;

/// Name and text of each file named.
macro_rules! texts {
    ($directory:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../", $directory, "/", $name, ".yaml")))),*]
    };
}

/// Names and texts.
type Files = &'static [(&'static str, &'static str)];

const RUNBOOKS: Files = texts!(
    "runbooks":
    "alert-response",
    "backup-and-restore",
    "backup-before-change",
    "blue-green",
    "cross-region-snapshot",
    "deploy-service",
    "dr-roles",
    "incident-response",
    "multi-az-failover",
    "pitr-hand-over",
    "region-failback",
    "region-failover",
    "region-round-trip",
    "restore-db",
    "retention-audit",
    "rotate-secret",
    "s3-accidental-deletion",
    "s3-canary",
    "s3-replication-check",
    "s3-rollback",
    "scale-service",
    "service-rollback",
    "snapshot-export-check",
    "terraform-state-recovery",
    "verify-snapshot",
);

const DRILLS: Files = texts!(
    "drills":
    "backup-before-change",
    "cloud-platform-backup-and-restore",
    "cloud-platform-deployment",
    "cloud-platform-export",
    "cloud-platform-incident",
    "cloud-platform-retention-dev",
    "cloud-platform-retention-production",
    "cloud-platform-retention-staging",
    "cloud-platform-rollback",
    "cloud-platform-scaling",
    "cloud-platform-secret-rotation",
    "cloud-platform-terraform-state",
    "credentialmate-dr-region",
    "credentialmate-ecs-rollback",
    "credentialmate-multi-az",
    "credentialmate-pitr",
    "credentialmate-s3-rollback",
    "credentialmate-snapshot-restore",
    "restore-db",
    "secure-app-alert",
    "secure-app-bad-deploy",
    "secure-app-multi-az",
    "secure-app-staging-rehearsal",
    "tax-practice-accidental-deletion",
    "tax-practice-s3-replication",
    "tax-practice-terraform-state",
    "techcorp-blue-green",
    "techcorp-cross-region-snapshot",
    "techcorp-europe-restore",
    "techcorp-region-failover",
    "techcorp-region-lost",
    "techcorp-region-round-trip",
    "techcorp-s3-replication",
    "techcorp-terraform-state",
    "verify-snapshot",
);

const ESTATES: Files = texts!(
    "localstack/estates":
    "cloud-platform",
    "credentialmate",
    "secure-app",
    "tax-practice",
    "techcorp",
);

/// The shipped files of a kind: name and text.
pub(super) fn shipped(kind: FileKind) -> Files {
    match kind {
        FileKind::Runbook => RUNBOOKS,
        FileKind::Drill => DRILLS,
        FileKind::Estate => ESTATES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_file_in_the_tree_is_shipped() {
        for (kind, directory) in [
            (FileKind::Runbook, "runbooks"),
            (FileKind::Drill, "drills"),
            (FileKind::Estate, "localstack/estates"),
        ] {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
            let files = std::fs::read_dir(root).expect("a directory").flatten();
            let there: BTreeSet<String> = files
                .filter_map(|file| {
                    file.file_name().to_str()?.strip_suffix(".yaml").map(str::to_owned)
                })
                .collect();
            let ours: BTreeSet<String> =
                shipped(kind).iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(ours, there, "{directory}");
        }
    }
}
