//! Writes of security groups: who may come in.
//!
//! **Invariant:** only the rules that are named are taken away or come back.

use super::{Accepted, Writer};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::ec2::{Element, Rules, permissions};
use crate::cloud::error::CloudError;

const REVOKE: &str = "RevokeSecurityGroupIngress";
const AUTHORIZE: &str = "AuthorizeSecurityGroupIngress";

impl Writer {
    /// Takes rules of a group away (EC2 `RevokeSecurityGroupIngress`). Connections that are open stay
    /// open: EC2 tracks them.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `InvalidPermission.NotFound` means that one of
    /// them is gone, and that nothing was taken away.
    pub async fn revoke_ingress(
        &self,
        region: &str,
        group: &str,
        rules: Rules<'_>,
    ) -> Result<Accepted, CloudError> {
        self.change_ingress(REVOKE, "ec2:RevokeSecurityGroupIngress", region, (group, rules)).await
    }

    /// Adds rules to a group (EC2 `AuthorizeSecurityGroupIngress`).
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `InvalidPermission.Duplicate` means that one of
    /// them is there, and that nothing was added.
    pub async fn authorize_ingress(
        &self,
        region: &str,
        group: &str,
        rules: Rules<'_>,
    ) -> Result<Accepted, CloudError> {
        let name = "ec2:AuthorizeSecurityGroupIngress";
        self.change_ingress(AUTHORIZE, name, region, (group, rules)).await
    }

    async fn change_ingress(
        &self,
        operation: &'static str,
        name: &str,
        region: &str,
        (group, rules): (&str, Rules<'_>),
    ) -> Result<Accepted, CloudError> {
        let read = |_: &Element| Some(());
        let client = self.shared.clients.ec2(region, ClientUse::Writes);
        let answer =
            client.call(operation, permissions(group, rules, operation == AUTHORIZE), read).await;
        let call = Call { operation: name, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id })
    }
}
