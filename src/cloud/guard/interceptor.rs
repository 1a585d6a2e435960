//! The upper half of the guard: clears or refuses an operation by its own name.
//!
//! **Invariant:** decides before the request is written, and stamps after it is signed, so that a
//! clearance is neither signed nor carried from one operation to another.

use crate::cloud::guard::calls::CallSource;
use crate::cloud::guard::ledger::{CallId, Guard};
use crate::cloud::guard::refusal::GuardRefusal;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Layer, Storable, StoreReplace};
use aws_types::region::Region;

/// The header that carries a clearance from the interceptor to the connector.
pub const CLEARANCE_HEADER: &str = "x-drctl-cleared";

/// The interceptor of every client that drctl makes.
#[derive(Debug, Clone)]
pub struct GuardInterceptor {
    guard: Guard,
}

/// A cleared call, remembered between the two hooks.
#[derive(Debug, Clone, Copy)]
struct Cleared(CallId);

impl Storable for Cleared {
    type Storer = StoreReplace<Self>;
}

impl GuardInterceptor {
    /// The interceptor of a guard.
    pub fn new(guard: Guard) -> Self {
        Self { guard }
    }

    /// Decides about the operation that `config` describes.
    fn clear(&self, config: &mut ConfigBag) -> Result<(), GuardRefusal> {
        let region = config.load::<Region>().map(|region| region.as_ref().to_owned());
        let region = region.unwrap_or_default();
        let Some(operation) = config.load::<Metadata>().map(canonical_name) else {
            let call = self.guard.begin("(unknown)", &region, CallSource::Service);
            self.guard.refuse(call, &GuardRefusal::Nameless);
            return Err(GuardRefusal::Nameless);
        };
        let call = self.guard.begin(&operation, &region, CallSource::Service);
        let decided = self.guard.decide(&operation);
        if let Err(refusal) = decided.and_then(|()| self.guard.decide_place(&operation, &region)) {
            self.guard.refuse(call, &refusal);
            return Err(refusal);
        }
        let mut layer = Layer::new("guard");
        layer.store_put(Cleared(call));
        config.push_layer(layer);
        Ok(())
    }
}

/// `RDS` and `DescribeDBInstances` as `rds:DescribeDBInstances`; `Secrets Manager` becomes
/// `secretsmanager`, and `CloudWatch Logs` what IAM calls it, `logs`.
fn canonical_name(metadata: &Metadata) -> String {
    let service: String = metadata.service().split_whitespace().collect();
    let service = match service.to_ascii_lowercase() {
        name if name == "cloudwatchlogs" => "logs".to_owned(),
        name => name,
    };
    format!("{service}:{}", metadata.name())
}

#[dyn_dispatch_hint]
impl Intercept for GuardInterceptor {
    fn name(&self) -> &'static str {
        "DrctlGuard"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.clear(config).map_err(Into::into)
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Cleared(call)) = config.load::<Cleared>().copied() else {
            return Err(GuardRefusal::Nameless.into());
        };
        let clearance = self.guard.clearance(call);
        context.request_mut().headers_mut().insert(CLEARANCE_HEADER, clearance);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;
    use crate::cloud::guard::calls::CallOutcome;
    use crate::cloud::options::GuardPolicy;

    fn bag(metadata: Option<(&'static str, &'static str)>) -> ConfigBag {
        let mut layer = Layer::new("test");
        if let Some((service, name)) = metadata {
            layer.store_put(Metadata::new(name, service));
        }
        ConfigBag::of_layers(vec![layer])
    }

    #[tokio::test]
    async fn what_brings_data_stays_in_its_regions() {
        let copies =
            ["rds:CopyDBSnapshot", "rds:DeleteDBSnapshot", "route53:ChangeResourceRecordSets"];
        let guard = Guard::new(GuardPolicy::live(copies), Clock::real());
        guard.keep_to(["eu-west-1".to_owned()].into());
        let interceptor = GuardInterceptor::new(guard.clone());
        let sent = |service: &'static str, name: &'static str, region: &'static str| {
            let mut config = bag(Some((service, name)));
            let mut layer = Layer::new("region");
            layer.store_put(Region::new(region));
            config.push_layer(layer);
            interceptor.clear(&mut config)
        };
        assert_eq!(sent("RDS", "CopyDBSnapshot", "eu-west-1"), Ok(()));
        let refused = sent("RDS", "CopyDBSnapshot", "us-east-1").expect_err("data would leave");
        assert!(refused.to_string().contains("rds:CopyDBSnapshot was not sent to us-east-1"));
        assert_eq!(sent("RDS", "DeleteDBSnapshot", "us-east-1"), Ok(()), "it may go");
        assert_eq!(sent("RDS", "DescribeDBSnapshots", "us-east-1"), Ok(()), "a read");
        assert_eq!(sent("Route 53", "ChangeResourceRecordSets", "us-east-1"), Ok(()), "no data");
        let records = guard.calls();
        assert!(matches!(records.records()[1].outcome, CallOutcome::Refused(_)));
    }

    #[tokio::test]
    async fn a_call_without_a_name_is_refused() {
        let guard = Guard::new(GuardPolicy::live(["rds:DeleteDBInstance"]), Clock::real());
        let interceptor = GuardInterceptor::new(guard.clone());
        assert_eq!(interceptor.clear(&mut bag(None)), Err(GuardRefusal::Nameless));
        let calls = guard.calls();
        assert!(matches!(calls.records()[0].outcome, CallOutcome::Refused(_)));
        let named = Some(("Secrets Manager", "GetSecretValue"));
        assert_eq!(
            interceptor.clear(&mut bag(named)),
            Err(GuardRefusal::NotDeclared {
                operation: "secretsmanager:GetSecretValue".to_owned()
            })
        );
        let mut cleared = bag(Some(("RDS", "DeleteDBInstance")));
        assert_eq!(interceptor.clear(&mut cleared), Ok(()));
        assert!(cleared.load::<Cleared>().is_some());
    }
}
