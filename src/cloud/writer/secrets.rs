//! Writes of secrets: a new version, and which version is the current one.
//!
//! **Invariant:** a value goes to Secrets Manager and nowhere else; a version is named by its caller, so
//! that the same write twice is one.

use super::{Accepted, Writer};
use crate::base::secret::{ExposeSecret, Secret};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::effects::SecretStage;
use crate::cloud::error::CloudError;
use aws_sdk_secretsmanager::operation::RequestId as _;

const PUT: &str = "secretsmanager:PutSecretValue";
const MOVE: &str = "secretsmanager:UpdateSecretVersionStage";

impl Writer {
    /// Puts a new version, which becomes the current one (Secrets Manager `PutSecretValue`). `version`
    /// is its id, 32 to 64 characters: the same one with the same text again does nothing.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `ResourceExistsException` means that there is
    /// such a version with another text.
    pub async fn put_secret_value(
        &self,
        region: &str,
        secret: &str,
        version: &str,
        text: &Secret,
    ) -> Result<Accepted, CloudError> {
        self.check_region(PUT, region)?;
        let answer = self
            .shared
            .clients
            .secretsmanager(region, ClientUse::Writes)
            .put_secret_value()
            .secret_id(secret)
            .client_request_token(version)
            .secret_string(text.expose_secret())
            .send()
            .await;
        let call = Call { operation: PUT, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }

    /// Makes version `to` the current one in place of `from` (Secrets Manager
    /// `UpdateSecretVersionStage`): refused by AWS when another one than `from` is current.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt.
    pub async fn move_secret_stage(
        &self,
        region: &str,
        secret: &str,
        (from, to): (&str, &str),
    ) -> Result<Accepted, CloudError> {
        self.check_region(MOVE, region)?;
        let answer = self
            .shared
            .clients
            .secretsmanager(region, ClientUse::Writes)
            .update_secret_version_stage()
            .secret_id(secret)
            .version_stage(SecretStage::Current.label())
            .remove_from_version_id(from)
            .move_to_version_id(to)
            .send()
            .await;
        let call = Call { operation: MOVE, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }
}
