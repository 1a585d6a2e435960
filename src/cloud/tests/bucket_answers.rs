//! Answers of S3 about buckets as AWS writes them.
//!
//! **Invariant:** written by hand from the service's documented shapes; no code of the SDK makes them.

use crate::cloud::tests::scripted::Reply;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A success whose root element is `root`.
pub(crate) fn element(root: &str, content: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{NAMESPACE}\">{content}</{root}>"
    );
    Reply::Http(200, body, vec![("content-type", "application/xml"), ("x-amz-request-id", "r-1")])
}

/// An error of S3.
pub(crate) fn s3_error(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>{message}</Message><RequestId>r-2</RequestId><HostId>h</HostId></Error>"
    );
    Reply::Http(
        status,
        body,
        vec![("content-type", "application/xml"), ("x-amz-request-id", "r-2")],
    )
}

/// An answer without a body, as to `HEAD`.
pub(crate) fn head(status: u16, headers: &[(&'static str, &'static str)]) -> Reply {
    Reply::Http(status, String::new(), headers.to_vec())
}

/// The nine answers about the configuration of a bucket, in the order in which they are asked for.
#[derive(Debug, Clone)]
pub(crate) struct Nine(pub(crate) [Reply; 9]);

/// Places in [`Nine`], those that a test gives another answer.
pub(crate) const VERSIONING: usize = 0;
pub(crate) const REPLICATION: usize = 1;
pub(crate) const ENCRYPTION: usize = 2;
pub(crate) const PUBLIC_ACCESS: usize = 3;
pub(crate) const POLICY_STATUS: usize = 4;
pub(crate) const LIFECYCLE: usize = 5;
pub(crate) const OBJECT_LOCK: usize = 6;
pub(crate) const INVENTORIES: usize = 8;

impl Nine {
    /// A versioned, encrypted bucket that nobody outside reads and that is copied nowhere.
    pub(crate) fn plain() -> Self {
        Self([
            element("VersioningConfiguration", "<Status>Enabled</Status>"),
            s3_error(404, "ReplicationConfigurationNotFoundError", "there is none"),
            encryption("AES256", None),
            public_access(true),
            s3_error(404, "NoSuchBucketPolicy", "The bucket policy does not exist"),
            s3_error(404, "NoSuchLifecycleConfiguration", "there is none"),
            s3_error(404, "ObjectLockConfigurationNotFoundError", "there is none"),
            element(
                "OwnershipControls",
                "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>",
            ),
            element("ListInventoryConfigurationsResult", "<IsTruncated>false</IsTruncated>"),
        ])
    }

    /// The same with another answer at one place.
    pub(crate) fn with(mut self, place: usize, reply: Reply) -> Self {
        self.0[place] = reply;
        self
    }
}

/// `GetBucketEncryption`.
pub(crate) fn encryption(algorithm: &str, key: Option<&str>) -> Reply {
    let key = key.map_or_else(String::new, |key| format!("<KMSMasterKeyID>{key}</KMSMasterKeyID>"));
    element(
        "ServerSideEncryptionConfiguration",
        &format!(
            "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>{algorithm}</SSEAlgorithm>{key}\
             </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule>"
        ),
    )
}

/// `GetPublicAccessBlock` with all four switches on or off.
pub(crate) fn public_access(on: bool) -> Reply {
    element(
        "PublicAccessBlockConfiguration",
        &format!(
            "<BlockPublicAcls>{on}</BlockPublicAcls><IgnorePublicAcls>{on}</IgnorePublicAcls>\
             <BlockPublicPolicy>{on}</BlockPublicPolicy>\
             <RestrictPublicBuckets>{on}</RestrictPublicBuckets>"
        ),
    )
}

/// `GetBucketReplication` with these rules.
pub(crate) fn replication(rules: &str) -> Reply {
    let role = "<Role>arn:aws:iam::123456789012:role/s3-replication</Role>";
    element("ReplicationConfiguration", &format!("{role}{rules}"))
}

/// `GetBucketLifecycleConfiguration` with these rules.
pub(crate) fn lifecycle(rules: &str) -> Reply {
    element("LifecycleConfiguration", rules)
}
