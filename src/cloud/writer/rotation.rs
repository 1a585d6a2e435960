//! Rotation of secrets.
//!
//! **Invariant:** a rotation is named by its caller, so that the same call twice rotates once.

use super::{Accepted, Writer};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::CloudError;
use aws_sdk_secretsmanager::operation::RequestId as _;

const ROTATE: &str = "secretsmanager:RotateSecret";

impl Writer {
    /// Lets the secret's rotation function make a new version now (Secrets Manager `RotateSecret`).
    /// `version` will be its id, 32 to 64 characters. The answer comes before the rotation has ended.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS (`InvalidRequestException` where rotation is not
    /// configured), or in doubt.
    pub async fn rotate_secret(
        &self,
        region: &str,
        secret: &str,
        version: &str,
    ) -> Result<Accepted, CloudError> {
        self.check_region(ROTATE, region)?;
        let answer = self
            .shared
            .clients
            .secretsmanager(region, ClientUse::Writes)
            .rotate_secret()
            .secret_id(secret)
            .client_request_token(version)
            .rotate_immediately(true)
            .send()
            .await;
        let call = Call { operation: ROTATE, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }
}
