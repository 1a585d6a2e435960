//! Failing an instance over to its standby.
//!
//! **Invariant:** a failover is asked for once; whether it took place is for AWS's events to say.

use super::{Accepted, Writer};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::CloudError;
use aws_sdk_rds::operation::RequestId as _;

const REBOOT: &str = "rds:RebootDBInstance";

impl Writer {
    /// Makes the standby of a Multi-AZ instance its primary (RDS `RebootDBInstance` with
    /// `ForceFailover`).
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt: then its events tell. `InvalidDBInstanceState`
    /// passes when the instance is available again.
    pub async fn force_failover(&self, region: &str, id: &str) -> Result<Accepted, CloudError> {
        self.check_region(REBOOT, region)?;
        let answer = self
            .shared
            .clients
            .rds(region, ClientUse::Writes)
            .reboot_db_instance()
            .db_instance_identifier(id)
            .force_failover(true)
            .send()
            .await;
        let call = Call { operation: REBOOT, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }
}
