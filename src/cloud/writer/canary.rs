//! Writes of canaries: put where nothing is, and removed by version id.
//!
//! **Invariant:** a canary never replaces anything, and nothing is removed without a permit.

use super::{Accepted, Writer, refused};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::CloudError;
use crate::cloud::model::{CANARIES, CANARY_PUT_AT, CANARY_RUN, CanaryPut};
use crate::cloud::permit::CanaryPermit;
use aws_sdk_s3::operation::RequestId as _;
use aws_sdk_s3::primitives::ByteStream;

const PUT: &str = "s3:PutObject";
const DELETE: &str = "s3:DeleteObject";

/// Tags as `x-amz-tagging` has them.
fn tagging(put: &CanaryPut) -> Option<String> {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(&put.tags);
    (!put.tags.is_empty()).then(|| text.finish())
}

impl Writer {
    /// Puts a canary where there is no object (S3 `PutObject` with `If-None-Match: *`), and writes beside it
    /// whose it is and the instant.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `PreconditionFailed` means that it is there.
    pub async fn put_canary(&self, region: &str, put: &CanaryPut) -> Result<Accepted, CloudError> {
        self.check_region(PUT, region)?;
        if !put.key.contains(CANARIES) || !put.marks.contains_key(CANARY_RUN) {
            return Err(refused(PUT, region, format!("`{}` is no canary of a run", put.key)));
        }
        let client = self.shared.clients.s3(region, ClientUse::Writes);
        let now = self.shared.clock.now().timestamp_millis().to_string();
        let marks = put.marks.iter().map(|(name, value)| (name.clone(), value.clone()));
        let marks = marks.chain([(CANARY_PUT_AT.to_owned(), now)]);
        let request = client
            .put_object()
            .bucket(&put.bucket)
            .key(&put.key)
            .if_none_match("*")
            .content_type("application/octet-stream")
            .set_metadata(Some(marks.collect()))
            .set_tagging(tagging(put))
            .body(ByteStream::from(put.body.clone()));
        let call = Call { operation: PUT, region, intent: Intent::Write };
        let answer = request.send().await.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }

    /// Removes a version of a canary for good (S3 `DeleteObject` with its version id).
    ///
    /// # Errors
    /// Refused by AWS, or in doubt.
    pub async fn remove_canary(&self, permit: &CanaryPermit) -> Result<Accepted, CloudError> {
        let region = permit.region();
        let client = self.shared.clients.s3(region, ClientUse::Writes);
        let request = client.delete_object().bucket(permit.bucket()).key(permit.key());
        let answer = request.version_id(permit.version_id()).send().await;
        let call = Call { operation: DELETE, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }
}
