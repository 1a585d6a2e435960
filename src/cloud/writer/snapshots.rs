//! Writes of snapshots: taking one, copying one, and deleting one of ours.
//!
//! **Invariant:** a snapshot is taken and copied under our tags where its data may be; one is deleted only under a
//! permit, after another look.

use super::{Accepted, Writer, check_tags, refused, tag_list};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::model::{CopyRequest, SnapshotRequest};
use crate::cloud::permit::SnapshotPermit;
use crate::cloud::view::describe_snapshot;
use aws_sdk_rds::operation::RequestId as _;

const CREATE: &str = "rds:CreateDBSnapshot";
const COPY: &str = "rds:CopyDBSnapshot";
const DELETE: &str = "rds:DeleteDBSnapshot";

impl Writer {
    /// Takes a manual snapshot of an instance (RDS `CreateDBSnapshot`).
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `DBSnapshotAlreadyExists` may be an earlier
    /// attempt of ours: look at its tag. `InvalidDBInstanceState` passes when the instance is
    /// available again.
    pub async fn create_snapshot(
        &self,
        region: &str,
        request: &SnapshotRequest,
    ) -> Result<Accepted, CloudError> {
        let SnapshotRequest { instance, snapshot, tags } = request;
        self.check_data(CREATE, region, instance)?;
        check_tags(CREATE, region, snapshot, tags)?;
        let answer = self
            .shared
            .clients
            .rds(region, ClientUse::Writes)
            .create_db_snapshot()
            .db_instance_identifier(instance)
            .db_snapshot_identifier(snapshot)
            .set_tags(Some(tag_list(tags)))
            .send()
            .await;
        let call = Call { operation: CREATE, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }

    /// Copies a snapshot to `region` (RDS `CopyDBSnapshot`).
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `DBSnapshotAlreadyExists` may be an earlier
    /// attempt of ours: look at its tag.
    pub async fn copy_snapshot(
        &self,
        region: &str,
        request: &CopyRequest,
    ) -> Result<Accepted, CloudError> {
        self.check_data(COPY, region, &request.source)?;
        let CopyRequest { source, target, kms_key, tags } = request;
        check_tags(COPY, region, target, tags)?;
        let answer = self
            .shared
            .clients
            .rds(region, ClientUse::Writes)
            .copy_db_snapshot()
            .source_db_snapshot_identifier(source)
            .target_db_snapshot_identifier(target)
            .set_kms_key_id(kms_key.clone())
            .copy_tags(false)
            .set_tags(Some(tag_list(tags)))
            .send()
            .await;
        let call = Call { operation: COPY, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }

    /// Deletes a snapshot of ours (RDS `DeleteDBSnapshot`), after looking again.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `DBSnapshotNotFound` means that it is gone.
    pub async fn delete_snapshot(&self, permit: &SnapshotPermit) -> Result<Accepted, CloudError> {
        let (region, id) = (permit.region(), permit.id());
        let Some(found) = describe_snapshot(&self.shared, region, id).await? else {
            return Err(CloudError {
                class: ErrorClass::Permanent,
                operation: DELETE.to_owned(),
                region: region.to_owned(),
                code: Some("DBSnapshotNotFound".to_owned()),
                message: format!("`{id}` is gone already"),
                request_id: None,
            });
        };
        if !permit.covers(&found) {
            let why = format!(
                "`{id}` is not the snapshot that the permit was given for: somebody replaced or \
                 retagged it; look before deleting"
            );
            return Err(refused(DELETE, region, why));
        }
        let client = self.shared.clients.rds(region, ClientUse::Writes);
        let answer = client.delete_db_snapshot().db_snapshot_identifier(id).send().await;
        let call = Call { operation: DELETE, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }
}
