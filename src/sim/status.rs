//! `DBInstanceStatus`, and when an instance has which.
//!
//! **Invariant:** whether a database answers SQL follows from its status alone.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// `DBInstanceStatus`, and the state of no longer being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sim) enum Status {
    Creating,
    BackingUp,
    Modifying,
    Upgrading,
    ResettingMasterCredentials,
    StorageOptimization,
    ConfiguringEnhancedMonitoring,
    ConfiguringIamDatabaseAuth,
    ConfiguringLogExports,
    Renaming,
    Rebooting,
    Stopping,
    Stopped,
    Starting,
    Available,
    Deleting,
    IncompatibleRestore,
    /// Deleted: no read shows it.
    Gone,
}

impl Status {
    /// As on the wire.
    pub(in crate::sim) fn name(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::BackingUp => "backing-up",
            Self::Modifying => "modifying",
            Self::Upgrading => "upgrading",
            Self::ResettingMasterCredentials => "resetting-master-credentials",
            Self::StorageOptimization => "storage-optimization",
            Self::ConfiguringEnhancedMonitoring => "configuring-enhanced-monitoring",
            Self::ConfiguringIamDatabaseAuth => "configuring-iam-database-auth",
            Self::ConfiguringLogExports => "configuring-log-exports",
            Self::Renaming => "renaming",
            Self::Rebooting => "rebooting",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Available => "available",
            Self::Deleting => "deleting",
            Self::IncompatibleRestore => "incompatible-restore",
            Self::Gone => "gone",
        }
    }

    /// Whether the database answers SQL.
    pub(in crate::sim) fn answers(self) -> bool {
        match self {
            Self::BackingUp
            | Self::Modifying
            | Self::ResettingMasterCredentials
            | Self::StorageOptimization
            | Self::ConfiguringEnhancedMonitoring
            | Self::ConfiguringIamDatabaseAuth
            | Self::ConfiguringLogExports
            | Self::Renaming
            | Self::Available => true,
            Self::Creating
            | Self::Upgrading
            | Self::Rebooting
            | Self::Stopping
            | Self::Stopped
            | Self::Starting
            | Self::Deleting
            | Self::IncompatibleRestore
            | Self::Gone => false,
        }
    }

    /// Whether `CreateDBSnapshot` takes one now.
    pub(in crate::sim) fn takes_snapshots(self) -> bool {
        matches!(self, Self::Available | Self::StorageOptimization)
    }

    /// Where it will be once what is going on has ended.
    pub(in crate::sim) fn settled(self) -> Self {
        match self {
            Self::BackingUp
            | Self::Modifying
            | Self::Upgrading
            | Self::ResettingMasterCredentials
            | Self::StorageOptimization
            | Self::ConfiguringEnhancedMonitoring
            | Self::ConfiguringIamDatabaseAuth
            | Self::ConfiguringLogExports
            | Self::Renaming
            | Self::Rebooting
            | Self::Starting
            | Self::Available => Self::Available,
            Self::Stopping | Self::Stopped => Self::Stopped,
            Self::Creating => Self::Creating,
            Self::Deleting => Self::Deleting,
            Self::IncompatibleRestore => Self::IncompatibleRestore,
            Self::Gone => Self::Gone,
        }
    }
}

/// From when an instance has a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) struct Phase {
    pub(in crate::sim) from: DateTime<Utc>,
    pub(in crate::sim) status: Status,
}

impl Phase {
    /// `status` from `from` on.
    pub(in crate::sim) fn new(from: DateTime<Utc>, status: Status) -> Self {
        Self { from, status }
    }
}
