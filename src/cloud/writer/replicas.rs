//! Writes of read replicas.
//!
//! **Invariant:** a replica is never public, carries our tags and stays where the data of its source may be;
//! a promotion is asked for once, with the
//! backups that the instance is to have from then on.

use super::{Accepted, Writer, check_tags, refused, some, tag_list};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::CloudError;
use crate::cloud::model::{PromotionRequest, ReplicaRequest};
use aws_sdk_rds::operation::RequestId as _;

const CREATE: &str = "rds:CreateDBInstanceReadReplica";
const PROMOTE: &str = "rds:PromoteReadReplica";

impl Writer {
    /// Makes a read replica of an instance, in `region` (RDS `CreateDBInstanceReadReplica`). It may have
    /// a name of the estate that is free: a failback rebuilds what was lost.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `DBInstanceAlreadyExists` may be an earlier
    /// attempt of ours: look at its tag.
    pub async fn create_replica(
        &self,
        region: &str,
        request: &ReplicaRequest,
    ) -> Result<Accepted, CloudError> {
        self.check_data(CREATE, region, &request.source)?;
        let target = request.target.to_ascii_lowercase();
        if target == request.source.to_ascii_lowercase() {
            let why = format!("`{target}` cannot be a replica of itself");
            return Err(refused(CREATE, region, why));
        }
        check_tags(CREATE, region, &target, &request.tags)?;
        let answer = self
            .shared
            .clients
            .rds(region, ClientUse::Writes)
            .create_db_instance_read_replica()
            .db_instance_identifier(&target)
            .source_db_instance_identifier(&request.source)
            .publicly_accessible(false)
            .set_db_instance_class(request.class.clone())
            .set_kms_key_id(request.kms_key.clone())
            .set_db_subnet_group_name(request.subnet_group.clone())
            .set_vpc_security_group_ids(some(request.security_groups.clone()))
            .set_db_parameter_group_name(request.parameter_group.clone())
            .multi_az(request.multi_az)
            .deletion_protection(request.deletion_protection)
            .set_tags(Some(tag_list(&request.tags)))
            .send()
            .await;
        let call = Call { operation: CREATE, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }

    /// Makes a read replica an instance of its own, for good (RDS `PromoteReadReplica`).
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `InvalidDBInstanceState` means that it is no
    /// replica any more, or not available now.
    pub async fn promote_replica(
        &self,
        region: &str,
        request: &PromotionRequest,
    ) -> Result<Accepted, CloudError> {
        self.check_region(PROMOTE, region)?;
        let PromotionRequest { instance, backup_retention_days } = request;
        let days = i32::try_from(*backup_retention_days).unwrap_or(i32::MAX);
        if days == 0 {
            let why =
                format!("`{instance}` would be without backups: keep them for a day at least");
            return Err(refused(PROMOTE, region, why));
        }
        let answer = self
            .shared
            .clients
            .rds(region, ClientUse::Writes)
            .promote_read_replica()
            .db_instance_identifier(instance)
            .backup_retention_period(days)
            .send()
            .await;
        let call = Call { operation: PROMOTE, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }
}
