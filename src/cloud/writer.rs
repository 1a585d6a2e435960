//! Typed writes: each is sent once, and none touches what is not ours.
//!
//! **Invariant:** a restore is never public and never leaves the allowed regions; a deletion needs a
//! permit and looks again before it is sent.

use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::model::{DbInstance, RestoreRequest};
use crate::cloud::permit::{DeletePermit, RUN_TAG};
use crate::cloud::session::Shared;
use crate::cloud::time::to_sdk;
use crate::cloud::view::describe;
use aws_sdk_rds::operation::RequestId as _;
use aws_sdk_rds::types::Tag;
use std::collections::BTreeSet;
use std::sync::Arc;

const RESTORE: &str = "rds:RestoreDBInstanceToPointInTime";
const DELETE: &str = "rds:DeleteDBInstance";
const MODIFY: &str = "rds:ModifyDBInstance";

/// A write that AWS accepted; it is not done yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// AWS's request id.
    pub request_id: Option<String>,
}

/// Typed writes of one live session.
#[derive(Debug, Clone)]
pub struct Writer {
    shared: Arc<Shared>,
    protected: Arc<BTreeSet<String>>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, protected: Arc<BTreeSet<String>>) -> Self {
        Self { shared, protected }
    }

    /// Creates an instance beside its source from the source's automated backups
    /// (RDS `RestoreDBInstanceToPointInTime`). `PubliclyAccessible=false` is always sent.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `DBInstanceAlreadyExists` may be an
    /// earlier attempt of ours: look at its tag.
    pub async fn restore_to_point_in_time(
        &self,
        region: &str,
        request: &RestoreRequest,
    ) -> Result<Accepted, CloudError> {
        self.check_restore(region, request)?;
        let RestoreRequest {
            source,
            target,
            restore_time,
            class,
            subnet_group,
            security_groups,
            parameter_group,
            option_group,
            multi_az,
            deletion_protection,
            log_exports,
            iam_authentication,
            copy_tags_to_snapshot,
            tags,
        } = request.clone();
        let tags =
            tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let answer = self
            .shared
            .clients
            .rds(region, ClientUse::Writes)
            .restore_db_instance_to_point_in_time()
            .source_db_instance_identifier(source)
            .target_db_instance_identifier(target)
            .restore_time(to_sdk(restore_time))
            .publicly_accessible(false)
            .set_db_instance_class(class)
            .set_db_subnet_group_name(subnet_group)
            .set_vpc_security_group_ids(some(security_groups))
            .set_db_parameter_group_name(parameter_group)
            .set_option_group_name(option_group)
            .multi_az(multi_az)
            .deletion_protection(deletion_protection)
            .set_enable_cloudwatch_logs_exports(some(log_exports))
            .enable_iam_database_authentication(iam_authentication)
            .copy_tags_to_snapshot(copy_tags_to_snapshot)
            .set_tags(some(tags.collect()))
            .send()
            .await;
        let call = Call { operation: RESTORE, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }

    /// Deletes an instance of ours without a final snapshot, its automated backups included
    /// (RDS `DeleteDBInstance`). Looks again first, and where the instance is protected from
    /// deletion, asks [`Self::modify_deletion_protection`] to end that.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `DBInstanceNotFound` means that it is gone.
    pub async fn delete_db_instance(&self, permit: &DeletePermit) -> Result<Accepted, CloudError> {
        let found = self.check_permit(DELETE, permit).await?;
        if found.deletion_protection {
            self.modify_deletion_protection(permit).await?;
        }
        let answer = self
            .shared
            .clients
            .rds(permit.region(), ClientUse::Writes)
            .delete_db_instance()
            .db_instance_identifier(permit.id())
            .skip_final_snapshot(true)
            .delete_automated_backups(true)
            .send()
            .await;
        let call = Call { operation: DELETE, region: permit.region(), intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }

    /// Ends the deletion protection of an instance of ours (RDS `ModifyDBInstance`, applied at once).
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt.
    pub async fn modify_deletion_protection(
        &self,
        permit: &DeletePermit,
    ) -> Result<Accepted, CloudError> {
        self.check_permit(MODIFY, permit).await?;
        let answer = self
            .shared
            .clients
            .rds(permit.region(), ClientUse::Writes)
            .modify_db_instance()
            .db_instance_identifier(permit.id())
            .deletion_protection(false)
            .apply_immediately(true)
            .send()
            .await;
        let call = Call { operation: MODIFY, region: permit.region(), intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }

    fn check_restore(&self, region: &str, request: &RestoreRequest) -> Result<(), CloudError> {
        let environment = &self.shared.environment;
        let refuse = |why: String| Err(refused(RESTORE, region, why));
        if !environment.allows_region(region) {
            return refuse(format!(
                "data of environment `{}` must not be in {region}: add it to `allowed_regions` \
                 if it may",
                environment.name
            ));
        }
        let target = request.target.to_ascii_lowercase();
        if target == request.source.to_ascii_lowercase() || self.protected.contains(&target) {
            return refuse(format!("`{target}` belongs to the estate: restore under another name"));
        }
        if !request.tags.contains_key(RUN_TAG) {
            return refuse(format!(
                "`{target}` would carry no tag `{RUN_TAG}`, so nothing could recognise or delete it"
            ));
        }
        Ok(())
    }

    /// The instance as it is now, when the permit still covers it.
    async fn check_permit(
        &self,
        operation: &str,
        permit: &DeletePermit,
    ) -> Result<DbInstance, CloudError> {
        let (region, id) = (permit.region(), permit.id());
        if self.protected.contains(id) {
            let why = format!("`{id}` belongs to the estate: drctl never deletes a source");
            return Err(refused(operation, region, why));
        }
        let Some(found) = describe(&self.shared, region, id).await? else {
            return Err(CloudError {
                class: ErrorClass::Permanent,
                operation: operation.to_owned(),
                region: region.to_owned(),
                code: Some("DBInstanceNotFound".to_owned()),
                message: format!("`{id}` is gone already"),
                request_id: None,
            });
        };
        let same = found.resource_id == permit.resource_id();
        let ours = found.tags.get(RUN_TAG).is_some_and(|run| run == permit.run().as_str());
        if same && ours {
            return Ok(found);
        }
        let why = format!(
            "`{id}` is not the instance that the permit was given for (resource id {}, now {}): \
             somebody replaced or retagged it; look before deleting",
            permit.resource_id(),
            found.resource_id
        );
        Err(refused(operation, region, why))
    }
}

/// A list that AWS must not see as empty: an empty list there means something else than none.
fn some<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}

fn refused(operation: &str, region: &str, message: String) -> CloudError {
    CloudError {
        class: ErrorClass::Refused,
        operation: operation.to_owned(),
        region: region.to_owned(),
        code: None,
        message,
        request_id: None,
    }
}
