//! Exports of log groups.
//!
//! **Invariant:** an export carries a name of its run and step, so that one whose answer was lost is
//! found.

use super::{Accepted, Writer};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::model::ExportRequest;
use aws_sdk_cloudwatchlogs::operation::RequestId as _;

const EXPORT: &str = "logs:CreateExportTask";

impl Writer {
    /// Begins to export a log group to S3 (CloudWatch Logs `CreateExportTask`).
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `LimitExceededException` passes: an account
    /// has one export at a time.
    pub async fn export_logs(
        &self,
        region: &str,
        request: &ExportRequest,
    ) -> Result<Accepted, CloudError> {
        self.check_region(EXPORT, region)?;
        let call = Call { operation: EXPORT, region, intent: Intent::Write };
        let client = self.shared.clients.logs(region, ClientUse::Writes);
        let answer = client
            .create_export_task()
            .task_name(&request.name)
            .log_group_name(&request.group)
            .from(request.from.timestamp_millis())
            .to(request.to.timestamp_millis())
            .destination(&request.bucket)
            .destination_prefix(&request.prefix)
            .send()
            .await;
        let answer = answer.map_err(|error| {
            let error = sdk_error(call, &error);
            match error.code.as_deref() {
                Some("LimitExceededException" | "OperationAbortedException") => {
                    CloudError { class: ErrorClass::Temporary, ..error }
                }
                _ => error,
            }
        })?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }
}
