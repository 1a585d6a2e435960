//! Reads of security groups.
//!
//! **Invariant:** a group that EC2 does not know is absent; a group without rules is not.

use super::{EstateView, absent, read};
use crate::cloud::classify::sdk_error;
use crate::cloud::clients::ClientUse;
use crate::cloud::ec2;
use crate::cloud::error::CloudError;
use crate::cloud::model::SecurityGroup;

impl EstateView {
    /// A security group, as predicted or else as it is (EC2 `DescribeSecurityGroups`).
    ///
    /// # Errors
    /// When EC2 cannot say; a group that does not exist is `None`.
    pub async fn security_group(
        &self,
        region: &str,
        id: &str,
    ) -> Result<Option<SecurityGroup>, CloudError> {
        if let Some(predicted) = self.overlay.security_group(region, id) {
            return Ok(Some(predicted.clone()));
        }
        let call = read("ec2:DescribeSecurityGroups", region);
        let client = self.shared.clients.ec2(region, ClientUse::Reads);
        let form = vec![("GroupId.1".to_owned(), id.to_owned())];
        let answer = client.call("DescribeSecurityGroups", form, ec2::description).await;
        let answer = answer.map_err(|error| sdk_error(call, &error));
        let answer = absent(answer, &["InvalidGroup.NotFound"])?;
        let groups = answer.map(|answer| answer.body).unwrap_or_default();
        Ok(groups.into_iter().find(|group| group.id == id))
    }
}
