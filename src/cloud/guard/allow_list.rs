//! Which operations read, by exact name.
//!
//! **Invariant:** an operation that is not named here mutates. Nothing is decided by a prefix:
//! `GetFederationToken` issues credentials, `GetSecretValue` discloses one.

/// What an operation does, as far as the guard cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// Reads what anyone who plans may see.
    ReadOnly,
    /// Changes nothing and yields a secret: only where declared.
    Disclosing,
    /// Everything else: sent at most once per call.
    Mutating,
}

/// Read-only operations of RDS.
pub const RDS: [&str; 28] = [
    "DescribeAccountAttributes",
    "DescribeBlueGreenDeployments",
    "DescribeCertificates",
    "DescribeDBClusterAutomatedBackups",
    "DescribeDBClusterEndpoints",
    "DescribeDBClusterParameterGroups",
    "DescribeDBClusterParameters",
    "DescribeDBClusterSnapshotAttributes",
    "DescribeDBClusterSnapshots",
    "DescribeDBClusters",
    "DescribeDBEngineVersions",
    "DescribeDBInstanceAutomatedBackups",
    "DescribeDBInstances",
    "DescribeDBParameterGroups",
    "DescribeDBParameters",
    "DescribeDBProxies",
    "DescribeDBProxyTargets",
    "DescribeDBSnapshotAttributes",
    "DescribeDBSnapshots",
    "DescribeDBSubnetGroups",
    "DescribeEvents",
    "DescribeExportTasks",
    "DescribeGlobalClusters",
    "DescribeOptionGroups",
    "DescribeOrderableDBInstanceOptions",
    "DescribePendingMaintenanceActions",
    "DescribeSourceRegions",
    "ListTagsForResource",
];

/// Read-only operations of STS. `AssumeRole` starts a session and is a credential call instead.
pub const STS: [&str; 1] = ["GetCallerIdentity"];

/// Read-only operations of Secrets Manager. `GetSecretValue` is not one: it discloses.
pub const SECRETS_MANAGER: [&str; 3] = ["DescribeSecret", "ListSecretVersionIds", "ListSecrets"];

/// Read-only operations of IAM: what `doctor` asks.
pub const IAM: [&str; 1] = ["SimulatePrincipalPolicy"];

/// Read-only operations of KMS: whether a key can be used, and by whom.
pub const KMS: [&str; 4] = ["DescribeKey", "GetKeyPolicy", "ListAliases", "ListGrants"];

/// Read-only operations of S3: where a bucket is, how it is configured and what is in it. `GetObject` is
/// not one: it discloses data.
pub const S3: [&str; 18] = [
    "GetBucketEncryption",
    "GetBucketLifecycleConfiguration",
    "GetBucketLocation",
    "GetBucketOwnershipControls",
    "GetBucketPolicyStatus",
    "GetBucketReplication",
    "GetBucketVersioning",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectLockConfiguration",
    "GetObjectRetention",
    "GetObjectTagging",
    "GetPublicAccessBlock",
    "HeadBucket",
    "HeadObject",
    "ListBucketInventoryConfigurations",
    "ListObjectVersions",
    "ListObjectsV2",
];

/// Read-only operations of ECS.
pub const ECS: [&str; 10] = [
    "DescribeClusters",
    "DescribeServiceDeployments",
    "DescribeServiceRevisions",
    "DescribeServices",
    "DescribeTaskDefinition",
    "DescribeTasks",
    "ListServiceDeployments",
    "ListServices",
    "ListTaskDefinitions",
    "ListTasks",
];

/// Read-only operations of Route 53.
pub const ROUTE_53: [&str; 12] = [
    "GetChange",
    "GetDNSSEC",
    "GetHealthCheck",
    "GetHealthCheckLastFailureReason",
    "GetHealthCheckStatus",
    "GetHostedZone",
    "ListHealthChecks",
    "ListHostedZones",
    "ListHostedZonesByName",
    "ListResourceRecordSets",
    "ListTagsForResource",
    "TestDNSAnswer",
];

/// Read-only operations of CloudWatch.
pub const CLOUDWATCH: [&str; 5] = [
    "DescribeAlarms",
    "DescribeAlarmsForMetric",
    "GetMetricData",
    "GetMetricStatistics",
    "ListMetrics",
];

/// Read-only operations of CloudWatch Logs: which groups there are and how exports go. What is in them
/// is not on the list: it discloses.
pub const CLOUDWATCH_LOGS: [&str; 2] = ["DescribeExportTasks", "DescribeLogGroups"];

/// Read-only operations of EC2: what fencing looks at.
pub const EC2: [&str; 2] = ["DescribeSecurityGroupRules", "DescribeSecurityGroups"];

/// Operations that change nothing and yield what not everyone may see.
const DISCLOSING: [&str; 2] = ["secretsmanager:GetSecretValue", "s3:GetObject"];

/// What `operation`, such as `rds:DescribeDBInstances`, does.
pub fn kind(operation: &str) -> OperationKind {
    let Some((service, name)) = operation.split_once(':') else {
        return OperationKind::Mutating;
    };
    let list: &[&str] = match service {
        "rds" => &RDS,
        "sts" => &STS,
        "secretsmanager" => &SECRETS_MANAGER,
        "iam" => &IAM,
        "kms" => &KMS,
        "s3" => &S3,
        "ecs" => &ECS,
        "route53" => &ROUTE_53,
        "cloudwatch" => &CLOUDWATCH,
        "logs" => &CLOUDWATCH_LOGS,
        "ec2" => &EC2,
        _ => &[],
    };
    if list.contains(&name) {
        OperationKind::ReadOnly
    } else if DISCLOSING.contains(&operation) {
        OperationKind::Disclosing
    } else {
        OperationKind::Mutating
    }
}

/// How many operations the lists let through.
pub fn len() -> usize {
    let first = RDS.len() + STS.len() + SECRETS_MANAGER.len() + IAM.len() + KMS.len() + S3.len();
    first + ECS.len() + ROUTE_53.len() + CLOUDWATCH.len() + CLOUDWATCH_LOGS.len() + EC2.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide_and_prefixes_do_not() {
        for (operation, expected) in [
            ("rds:DescribeDBInstances", OperationKind::ReadOnly),
            ("sts:GetCallerIdentity", OperationKind::ReadOnly),
            ("secretsmanager:GetSecretValue", OperationKind::Disclosing),
            ("secretsmanager:BatchGetSecretValue", OperationKind::Mutating),
            ("secretsmanager:GetRandomPassword", OperationKind::Mutating),
            ("sts:GetFederationToken", OperationKind::Mutating),
            ("sts:AssumeRole", OperationKind::Mutating),
            ("rds:DownloadDBLogFilePortion", OperationKind::Mutating),
            ("ec2:DescribeInstances", OperationKind::Mutating),
            ("DescribeDBInstances", OperationKind::Mutating),
            ("rds:describedbinstances", OperationKind::Mutating),
            ("kms:DescribeKey", OperationKind::ReadOnly),
            ("s3:ListObjectsV2", OperationKind::ReadOnly),
            ("s3:GetObject", OperationKind::Disclosing),
            ("s3:PutObject", OperationKind::Mutating),
            ("s3:GetObjectAcl", OperationKind::Mutating),
            ("kms:Decrypt", OperationKind::Mutating),
            ("kms:GenerateDataKey", OperationKind::Mutating),
        ] {
            assert_eq!(kind(operation), expected, "{operation}");
        }
    }

    #[test]
    fn lists_are_sorted_and_counted() {
        assert!(RDS.is_sorted() && SECRETS_MANAGER.is_sorted() && KMS.is_sorted());
        assert!(S3.is_sorted() && ECS.is_sorted() && ROUTE_53.is_sorted());
        assert!(CLOUDWATCH.is_sorted() && CLOUDWATCH_LOGS.is_sorted() && EC2.is_sorted());
        assert_eq!(len(), 86);
    }
}
