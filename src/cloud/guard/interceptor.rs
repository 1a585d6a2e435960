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
        if let Err(refusal) = self.guard.decide(&operation) {
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
