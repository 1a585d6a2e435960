//! Typed writes: each is sent once, and none touches what is not ours.
//!
//! **Invariant:** a restore is never public and never leaves the allowed regions; a deletion needs a
//! permit and looks again before it is sent.

use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::model::{DbInstance, RestoreRequest, RestoreSource};
use crate::cloud::permit::DeletePermit;
use crate::cloud::session::Shared;
use crate::cloud::tags::{Marks, RUN_TAG};
use crate::cloud::time::to_sdk;
use crate::cloud::view::describe;
use crate::estate::DataRegions;
use aws_sdk_rds::operation::RequestId as _;
use aws_sdk_rds::types::Tag;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

mod canary;
mod changes;
mod containers;
mod failover;
mod logs;
mod messages;
mod objects;
mod parts;
mod records;
mod replicas;
mod rotation;
mod secrets;
mod security_groups;
mod snapshots;

pub use containers::ServiceChange;
pub use messages::Published;
pub use objects::LARGEST_COPY;
pub use parts::LARGEST_OBJECT;
pub use records::{AcceptedChange, UpdatedCheck};

const RESTORE_TO_INSTANT: &str = "rds:RestoreDBInstanceToPointInTime";
const RESTORE_FROM_SNAPSHOT: &str = "rds:RestoreDBInstanceFromDBSnapshot";
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
    regions: Arc<DataRegions>,
}

/// Sets on a restore call, of either kind, everything that it can set and would lose.
macro_rules! with_settings {
    ($call:expr, $request:expr) => {{
        let request: &RestoreRequest = $request;
        $call
            .publicly_accessible(false)
            .set_db_instance_class(request.class.clone())
            .set_db_subnet_group_name(request.subnet_group.clone())
            .set_vpc_security_group_ids(some(request.security_groups.clone()))
            .set_db_parameter_group_name(request.parameter_group.clone())
            .set_option_group_name(request.option_group.clone())
            .multi_az(request.multi_az)
            .deletion_protection(request.deletion_protection)
            .set_enable_cloudwatch_logs_exports(some(request.log_exports.clone()))
            .enable_iam_database_authentication(request.iam_authentication)
            .copy_tags_to_snapshot(request.copy_tags_to_snapshot)
            .set_tags(some(tag_list(&request.tags)))
    }};
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        protected: Arc<BTreeSet<String>>,
        regions: Arc<DataRegions>,
    ) -> Self {
        Self { shared, protected, regions }
    }

    /// Creates an instance beside its source, from the source's automated backups (RDS
    /// `RestoreDBInstanceToPointInTime`) or from a snapshot (`RestoreDBInstanceFromDBSnapshot`).
    /// `PubliclyAccessible=false` is always sent.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `DBInstanceAlreadyExists` may be an
    /// earlier attempt of ours: look at its tag.
    pub async fn restore(
        &self,
        region: &str,
        request: &RestoreRequest,
    ) -> Result<Accepted, CloudError> {
        let operation = match &request.from {
            RestoreSource::Instant { .. } => RESTORE_TO_INSTANT,
            RestoreSource::Snapshot { .. } => RESTORE_FROM_SNAPSHOT,
        };
        self.check_restore(operation, region, request)?;
        let call = Call { operation, region, intent: Intent::Write };
        let client = self.shared.clients.rds(region, ClientUse::Writes);
        let request_id = match &request.from {
            RestoreSource::Instant { instance, at } => {
                let restore = client
                    .restore_db_instance_to_point_in_time()
                    .source_db_instance_identifier(instance)
                    .target_db_instance_identifier(&request.target)
                    .restore_time(to_sdk(*at));
                let answer = with_settings!(restore, request).send().await;
                let answer = answer.map_err(|error| sdk_error(call, &error))?;
                answer.request_id().map(str::to_owned)
            }
            RestoreSource::Snapshot { snapshot, .. } => {
                let restore = client
                    .restore_db_instance_from_db_snapshot()
                    .db_snapshot_identifier(snapshot)
                    .db_instance_identifier(&request.target);
                let answer = with_settings!(restore, request).send().await;
                let answer = answer.map_err(|error| sdk_error(call, &error))?;
                answer.request_id().map(str::to_owned)
            }
        };
        Ok(Accepted { request_id })
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

    /// Refuses a region that data must not be in.
    fn check_region(&self, operation: &str, region: &str) -> Result<(), CloudError> {
        let environment = &self.shared.environment;
        if environment.allows_region(region) {
            return Ok(());
        }
        let why = format!(
            "data of environment `{}` must not be in {region}: add it to `allowed_regions` if it may",
            environment.name
        );
        Err(refused(operation, region, why))
    }

    /// Refuses to bring data of `named` (an instance or a snapshot, by identifier or ARN) to `region`:
    /// the environment and the database it belongs to both have to allow that. Everything that copies
    /// data asks this before anything is sent.
    fn check_data(&self, operation: &str, region: &str, named: &str) -> Result<(), CloudError> {
        self.check_region(operation, region)?;
        match self.regions.refusal(named, region) {
            Some(why) => Err(refused(operation, region, why)),
            None => Ok(()),
        }
    }

    fn check_restore(
        &self,
        operation: &str,
        region: &str,
        request: &RestoreRequest,
    ) -> Result<(), CloudError> {
        self.check_data(operation, region, request.from.instance())?;
        if let RestoreSource::Snapshot { snapshot, .. } = &request.from {
            self.check_data(operation, region, snapshot)?;
        }
        let refuse = |why: String| Err(refused(operation, region, why));
        let target = request.target.to_ascii_lowercase();
        if target == request.from.instance().to_ascii_lowercase()
            || self.protected.contains(&target)
        {
            return refuse(format!("`{target}` belongs to the estate: restore under another name"));
        }
        check_tags(operation, region, &target, &request.tags)
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

/// Refuses to create what nobody could recognise, ask about or sweep.
fn check_tags(
    operation: &str,
    region: &str,
    target: &str,
    tags: &BTreeMap<String, String>,
) -> Result<(), CloudError> {
    let why = match Marks::read(tags) {
        Ok(Some(_)) => return Ok(()),
        Ok(None) => "it has no tag of drctl's".to_owned(),
        Err(error) => error.to_string(),
    };
    let why = format!("`{target}` would be made, and nothing could recognise or sweep it: {why}");
    Err(refused(operation, region, why))
}

fn tag_list(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
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
