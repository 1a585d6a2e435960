//! Errors of calls to AWS, sorted by what the engine may do about them.
//!
//! **Invariant:** this layer classifies and never decides; no text in an error holds a credential.

use std::fmt;

/// What an error says about the call and about trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The call had no effect and will not succeed unchanged.
    Permanent,
    /// The call had no effect; the same call may succeed later (throttling, wrong state, busy).
    Temporary,
    /// The call may have taken effect: the answer was lost, or the server failed while answering.
    InDoubt,
    /// Credentials are missing, expired or refused; the run waits for a person.
    Credentials,
    /// Nobody answers at the endpoint.
    Unreachable,
    /// Our own guard refused the call before it left.
    Refused,
}

/// A failed call to AWS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CloudError {
    /// What may be done about it.
    pub class: ErrorClass,
    /// The operation as `rds:DescribeDBInstances`.
    pub operation: String,
    /// Region it was sent to.
    pub region: String,
    /// AWS's error code, such as `DBInstanceNotFound`.
    pub code: Option<String>,
    /// AWS's message, redacted.
    pub message: String,
    /// AWS's request id.
    pub request_id: Option<String>,
}

impl CloudError {
    /// Whether AWS's code is `code`.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// What to do about AWS's code, for those that a restore or a delete can end with.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self.code.as_deref()? {
            "InstanceQuotaExceeded" | "StorageQuotaExceeded" => {
                "delete what is not needed in this region, or ask AWS for a higher quota"
            }
            "InsufficientDBInstanceCapacity" => "try another instance class, or later",
            "KMSKeyNotAccessibleFault" => {
                "enable the key, or let the caller use it: a restore needs kms:CreateGrant"
            }
            "PointInTimeRestoreNotEnabled" => "set BackupRetentionPeriod to at least 1 day",
            "DBSubnetGroupNotFoundFault"
            | "DBParameterGroupNotFound"
            | "OptionGroupNotFoundFault" => {
                "create it in this region, or name another one in the estate"
            }
            "InvalidSubnet"
            | "InvalidVPCNetworkStateFault"
            | "DBSubnetGroupDoesNotCoverEnoughAZs" => {
                "check the subnet group of the estate against the VPC"
            }
            "DBSnapshotNotFound" => {
                "choose a snapshot that is there (DescribeDBSnapshots); automated ones end with \
                 their retention"
            }
            "SnapshotQuotaExceeded" => {
                "delete manual snapshots that are not needed in this region, or ask AWS for a \
                 higher quota"
            }
            "NoSuchHostedZone" => "check the zone's id in the estate file",
            "NoSuchHealthCheck" => "check the health check's id in the estate file",
            "HealthCheckVersionMismatch" => "somebody changed it meanwhile: look, then try again",
            "InvalidChangeBatch" => {
                "the zone is not what the step was planned for: look at its records, then plan anew"
            }
            "InvalidRestoreFault" => "choose another instant inside the restorable window",
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
                "let the role of this environment call the operation"
            }
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
                "log in again, then resume"
            }
            "RequestTimeTooSkewed" => "set this machine's clock; `drctl doctor` measures it",
            _ => return None,
        })
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}: ", self.operation, self.region)?;
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)
    }
}
