//! Changes of instances that are there, and of their names.
//!
//! **Invariant:** nothing here makes an instance public, takes its encryption, its backups or, where it is
//! the estate's, its deletion protection.

use super::{Accepted, Writer, refused, some};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::CloudError;
use crate::cloud::model::InstanceChanges;
use aws_sdk_rds::operation::RequestId as _;

const MODIFY: &str = "rds:ModifyDBInstance";

impl Writer {
    /// Changes an instance (RDS `ModifyDBInstance`). It may belong to the estate: whoever wrote the step
    /// named it.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt; the same change again does no harm.
    pub async fn modify_instance(
        &self,
        region: &str,
        changes: &InstanceChanges,
    ) -> Result<Accepted, CloudError> {
        self.check_region(MODIFY, region)?;
        let id = changes.instance.to_ascii_lowercase();
        if changes.backup_retention_days == Some(0) {
            let why = format!("backup retention 0 deletes all automated backups of `{id}`");
            return Err(refused(MODIFY, region, why));
        }
        if changes.deletion_protection == Some(false) && self.protected.contains(&id) {
            let why =
                format!("`{id}` belongs to the estate: drctl does not end its deletion protection");
            return Err(refused(MODIFY, region, why));
        }
        let days = changes.backup_retention_days.and_then(|days| i32::try_from(days).ok());
        let answer = self
            .shared
            .clients
            .rds(region, ClientUse::Writes)
            .modify_db_instance()
            .db_instance_identifier(&id)
            .set_db_instance_class(changes.class.clone())
            .set_multi_az(changes.multi_az)
            .set_backup_retention_period(days)
            .set_deletion_protection(changes.deletion_protection)
            .set_vpc_security_group_ids(changes.security_groups.clone().and_then(some))
            .set_db_parameter_group_name(changes.parameter_group.clone())
            .apply_immediately(changes.immediately)
            .send()
            .await;
        let call = Call { operation: MODIFY, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }

    /// Gives an instance another identifier, at once (RDS `ModifyDBInstance` with
    /// `NewDBInstanceIdentifier`). It reboots, and its endpoint changes with it.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `DBInstanceAlreadyExists` means that the name
    /// is taken.
    pub async fn rename_instance(
        &self,
        region: &str,
        (from, to): (&str, &str),
    ) -> Result<Accepted, CloudError> {
        self.check_region(MODIFY, region)?;
        let answer = self
            .shared
            .clients
            .rds(region, ClientUse::Writes)
            .modify_db_instance()
            .db_instance_identifier(from)
            .new_db_instance_identifier(to)
            .apply_immediately(true)
            .send()
            .await;
        let call = Call { operation: MODIFY, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }
}
