//! A second look at a key that differs in the lists: what is under it now, and what S3 says of it.
//!
//! **Invariant:** a refused look is no absence; a throttled one slows down everything that asks the bucket.

use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::listing::{Lister, Tag};
use crate::cloud::session::Shared;
use crate::cloud::time::from_sdk;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::ChecksumMode;
use std::time::Duration;

const HEAD: &str = "s3:HeadObject";

/// How often S3 may ask for patience for one key, and how often it may fail.
const PATIENCE: u32 = 30;
const FAILURES: u32 = 4;

/// What is under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing; `marker` when a delete marker says so.
    Absent {
        /// Whether S3 said that it is a delete marker.
        marker: bool,
    },
    /// An object.
    Present(Box<Head>),
    /// These credentials may not look.
    Denied,
}

/// An object as `HeadObject` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) size: u64,
    pub(super) modified_ms: i64,
    pub(super) etag: String,
    pub(super) tag: Tag,
    pub(super) version: Option<String>,
    /// `PENDING`, `COMPLETED`, `FAILED`, `REPLICA`.
    pub(super) status: Option<String>,
    /// Encrypted so that the ETag is no digest of the content.
    pub(super) opaque: bool,
    /// Whether KMS has the key.
    pub(super) kms: bool,
    pub(super) archived: bool,
    /// Algorithm and kind of a checksum, and the checksum.
    pub(super) checksums: Vec<(&'static str, String)>,
}

/// Looks at keys of one side.
#[derive(Debug)]
pub(super) struct Looker {
    client: aws_sdk_s3::Client,
    pub(super) lister: Lister,
    shared: std::sync::Arc<Shared>,
    /// Whether checksums are asked for.
    checksums: bool,
}

impl Looker {
    pub(super) fn new(shared: &std::sync::Arc<Shared>, lister: Lister, checksums: bool) -> Self {
        let client = shared.clients.s3(&lister.place().region, ClientUse::Reads);
        Self { client, lister, shared: std::sync::Arc::clone(shared), checksums }
    }

    /// What is under a key now (S3 `HeadObject`).
    pub(super) async fn look(&self, key: &str) -> Result<Look, CloudError> {
        let place = self.lister.place();
        let call = Call { operation: HEAD, region: &place.region, intent: Intent::Read };
        let (mut throttled, mut failed) = (0, 0);
        loop {
            let turn = self.lister.pace().turn().await;
            let ask = self.client.head_object().bucket(&place.bucket);
            let ask = ask.key(format!("{}{key}", place.prefix));
            let ask = ask.set_checksum_mode(self.checksums.then_some(ChecksumMode::Enabled));
            let error = match ask.send().await {
                Ok(found) => {
                    turn.answered();
                    return Ok(Look::Present(Box::new(head(&found))));
                }
                Err(error) => error,
            };
            // The answer to a HEAD has no body to name the error in.
            let raw = error.raw_response();
            let marker = raw.and_then(|raw| raw.headers().get("x-amz-delete-marker"));
            let marker = marker == Some("true");
            match raw.map(|raw| raw.status().as_u16()) {
                Some(404) => {
                    turn.answered();
                    return Ok(Look::Absent { marker });
                }
                Some(401 | 403) => return Ok(Look::Denied),
                Some(429 | 503) => {
                    turn.throttled();
                    throttled += 1;
                    if throttled > PATIENCE {
                        return Err(sdk_error(call, &error));
                    }
                    continue;
                }
                _ => drop(turn),
            }
            let error = sdk_error(call, &error);
            failed += 1;
            let again = matches!(error.class, ErrorClass::Temporary | ErrorClass::Unreachable);
            if !again || failed >= FAILURES {
                return Err(error);
            }
            self.shared.clock.sleep(Duration::from_millis(200 << failed)).await;
        }
    }
}

fn head(found: &HeadObjectOutput) -> Head {
    let etag = found.e_tag().unwrap_or_default().trim_matches('"').to_owned();
    let encryption = found.server_side_encryption().map_or("", |one| one.as_str());
    let kms = encryption.starts_with("aws:kms");
    let kind = found.checksum_type().map_or("", |kind| kind.as_str());
    let composite = kind == "COMPOSITE";
    // A checksum of checksums depends on the parts; only those of whole contents compare.
    let whole = |value: Option<&str>| value.filter(|_| !composite).map(str::to_owned);
    let checksums = [
        ("CRC32", whole(found.checksum_crc32())),
        ("CRC32C", whole(found.checksum_crc32_c())),
        ("CRC64NVME", whole(found.checksum_crc64_nvme())),
        ("SHA1", whole(found.checksum_sha1())),
        ("SHA256", whole(found.checksum_sha256())),
    ];
    Head {
        size: found.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        modified_ms: found
            .last_modified()
            .and_then(from_sdk)
            .map_or(0, |instant| instant.timestamp_millis()),
        tag: Tag::read(etag.as_bytes()),
        etag,
        version: found.version_id().filter(|id| *id != "null").map(str::to_owned),
        status: found.replication_status().map(|status| status.as_str().to_owned()),
        opaque: kms || found.sse_customer_algorithm().is_some(),
        kms,
        archived: found
            .storage_class()
            .is_some_and(|class| matches!(class.as_str(), "GLACIER" | "DEEP_ARCHIVE")),
        checksums: checksums.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
    }
}
