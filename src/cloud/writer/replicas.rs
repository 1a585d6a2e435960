//! Writes of read replicas.
//!
//! **Invariant:** a promotion is asked for once, with the backups that the instance is to have from then
//! on; whether it took place is for the instance to say.

use super::{Accepted, Writer, refused};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::CloudError;
use crate::cloud::model::PromotionRequest;
use aws_sdk_rds::operation::RequestId as _;

const PROMOTE: &str = "rds:PromoteReadReplica";

impl Writer {
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
