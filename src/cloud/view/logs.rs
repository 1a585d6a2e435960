//! Reads of CloudWatch Logs: groups and exports, never what stands in them.
//!
//! **Invariant:** an answer that was not understood is never an absent group or a finished export.

use super::{EstateView, MAX_PAGES, absent, read};
use crate::cloud::classify::sdk_error;
use crate::cloud::clients::ClientUse;
use crate::cloud::error::CloudError;
use crate::cloud::model::{ExportTask, LogGroupFound};
use chrono::{DateTime, Utc};

fn instant(millis: Option<i64>) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis?)
}

impl EstateView {
    /// A log group by its name (CloudWatch Logs `DescribeLogGroups`).
    ///
    /// # Errors
    /// When AWS cannot say; a group that does not exist is `None`.
    pub async fn log_group(
        &self,
        region: &str,
        name: &str,
    ) -> Result<Option<LogGroupFound>, CloudError> {
        let call = read("logs:DescribeLogGroups", region);
        let client = self.shared.clients.logs(region, ClientUse::Reads);
        // A prefix also finds longer names; the exact one comes first.
        let request = client.describe_log_groups().log_group_name_prefix(name);
        let answer = request.send().await.map_err(|error| sdk_error(call, &error));
        let answer = absent(answer, &["ResourceNotFoundException"])?;
        let groups = answer.iter().flat_map(|answer| answer.log_groups());
        let mut exact = groups.filter(|group| group.log_group_name() == Some(name));
        Ok(exact.next().map(|group| LogGroupFound {
            name: name.to_owned(),
            stored_bytes: group.stored_bytes(),
        }))
    }

    /// Exports that there are or were, in the order in which AWS lists them (CloudWatch Logs
    /// `DescribeExportTasks`, all pages).
    ///
    /// # Errors
    /// When AWS cannot say.
    pub async fn export_tasks(&self, region: &str) -> Result<Vec<ExportTask>, CloudError> {
        let call = read("logs:DescribeExportTasks", region);
        let client = self.shared.clients.logs(region, ClientUse::Reads);
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let request = client.describe_export_tasks().set_next_token(token.take());
            let page = request.send().await.map_err(|error| sdk_error(call, &error))?;
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            found.extend(page.export_tasks().iter().map(|task| ExportTask {
                id: text(task.task_id()),
                name: task.task_name().map(str::to_owned),
                group: text(task.log_group_name()),
                bucket: text(task.destination()),
                prefix: text(task.destination_prefix()),
                status: text(task.status().and_then(|it| it.code()).map(|code| code.as_str())),
                message: text(task.status().and_then(|it| it.message())),
                created_at: instant(task.execution_info().and_then(|it| it.creation_time())),
                completed_at: instant(task.execution_info().and_then(|it| it.completion_time())),
            }));
            token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        Ok(found)
    }
}
