//! Reads of exports of snapshots.
//!
//! **Invariant:** all pages are read; an export that AWS does not tell of is none.

use super::{EstateView, MAX_PAGES, read};
use crate::cloud::classify::sdk_error;
use crate::cloud::clients::ClientUse;
use crate::cloud::convert;
use crate::cloud::error::CloudError;
use crate::cloud::model::SnapshotExport;
use aws_sdk_rds::types::Filter;

impl EstateView {
    /// Exports of snapshots to a bucket (RDS `DescribeExportTasks`, all pages), newest first.
    ///
    /// # Errors
    /// When AWS cannot say.
    pub async fn snapshot_exports(
        &self,
        region: &str,
        bucket: &str,
    ) -> Result<Vec<SnapshotExport>, CloudError> {
        let call = read("rds:DescribeExportTasks", region);
        let client = self.shared.clients.rds(region, ClientUse::Reads);
        let of_bucket = Filter::builder().name("s3-bucket").values(bucket).build();
        let mut pages = client.describe_export_tasks().filters(of_bucket).into_paginator().send();
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(page) = pages.next().await else { break };
            let page = page.map_err(|error| sdk_error(call, &error))?;
            found.extend(page.export_tasks().iter().map(convert::snapshot_export));
        }
        found.retain(|task| task.bucket == bucket);
        found.sort_by(|one, other| (other.started_at, &other.id).cmp(&(one.started_at, &one.id)));
        Ok(found)
    }
}
