//! Changes of ECS services.
//!
//! **Invariant:** each call names all that it changes and nothing else; ECS takes no token, so what
//! became of one whose answer was lost is for the service to show.

use super::{Accepted, Writer};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::CloudError;
use aws_sdk_ecs::operation::RequestId as _;

const UPDATE: &str = "ecs:UpdateService";

/// What becomes of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceChange<'a> {
    /// So many tasks are wanted; this starts no deployment.
    Scale(u32),
    /// A deployment of this `family:revision`.
    Deploy(&'a str),
    /// A deployment of what runs already, so that its tasks read their configuration anew.
    Redeploy,
}

impl Writer {
    /// Changes a service (ECS `UpdateService`).
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt.
    pub async fn update_service(
        &self,
        region: &str,
        (cluster, service): (&str, &str),
        change: ServiceChange<'_>,
    ) -> Result<Accepted, CloudError> {
        self.check_region(UPDATE, region)?;
        let client = self.shared.clients.ecs(region, ClientUse::Writes);
        let request = client.update_service().cluster(cluster).service(service);
        let request = match change {
            ServiceChange::Scale(count) => {
                request.desired_count(i32::try_from(count).unwrap_or(i32::MAX))
            }
            ServiceChange::Deploy(definition) => request.task_definition(definition),
            ServiceChange::Redeploy => request.force_new_deployment(true),
        };
        let call = Call { operation: UPDATE, region, intent: Intent::Write };
        let answer = request.send().await.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }
}
