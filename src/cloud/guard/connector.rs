//! The lower half of the guard: around every HTTP client, it lets only cleared requests through.
//!
//! **Invariant:** what the inner client gets was cleared as exactly the operation that its bytes
//! name, for the service that it is signed for, and no longer carries the clearance.

use crate::cloud::guard::calls::CallSource;
use crate::cloud::guard::interceptor::CLEARANCE_HEADER;
use crate::cloud::guard::ledger::{CallId, Guard};
use crate::cloud::guard::refusal::GuardRefusal;
use crate::cloud::guard::wire;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_types::config_bag::ConfigBag;
use std::sync::Arc;

/// Judges one request before it leaves and takes off what must not leave.
pub(crate) trait Gate: Send + Sync + std::fmt::Debug {
    /// The call that the request belongs to, counted as sent.
    fn admit(&self, request: &mut HttpRequest) -> Result<CallId, GuardRefusal>;

    /// Where calls are recorded.
    fn guard(&self) -> &Guard;
}

/// The inner client with the guard's lower half around it.
pub fn guarded(inner: SharedHttpClient, guard: Guard) -> SharedHttpClient {
    gated(inner, Arc::new(Clearances { guard }))
}

/// The inner client with any gate around it.
pub(crate) fn gated(inner: SharedHttpClient, gate: Arc<dyn Gate>) -> SharedHttpClient {
    SharedHttpClient::new(GatedClient { inner, gate })
}

/// Admits requests that carry a clearance.
#[derive(Debug)]
struct Clearances {
    guard: Guard,
}

impl Gate for Clearances {
    fn admit(&self, request: &mut HttpRequest) -> Result<CallId, GuardRefusal> {
        let clearance = request.headers_mut().remove(CLEARANCE_HEADER);
        let said = said(request);
        let Some((call, operation)) = clearance.and_then(|value| self.guard.cleared(&value)) else {
            let call = self.guard.begin(&said, "", CallSource::Service);
            let refusal = GuardRefusal::Uncleared { said };
            self.guard.refuse(call, &refusal);
            return Err(refusal);
        };
        if said != operation {
            let refusal = GuardRefusal::Mismatch { cleared: operation, said };
            self.guard.refuse(call, &refusal);
            return Err(refusal);
        }
        // A repetition is not recorded as refused: the record keeps how the first one ended.
        self.guard.send(call)?;
        Ok(call)
    }

    fn guard(&self) -> &Guard {
        &self.guard
    }
}

/// What a request says it is, in the guard's notation.
fn said(request: &HttpRequest) -> String {
    let service = wire::signed_service(request).unwrap_or_else(|| "(unsigned)".to_owned());
    // CloudWatch is signed for under the name of its host.
    let service = if service == "monitoring" { "cloudwatch".to_owned() } else { service };
    let action = wire::action(request).unwrap_or_else(|| "(unreadable)".to_owned());
    format!("{service}:{action}")
}

#[derive(Debug)]
struct GatedClient {
    inner: SharedHttpClient,
    gate: Arc<dyn Gate>,
}

impl HttpClient for GatedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(GatedConnector { inner, gate: Arc::clone(&self.gate) })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        HttpClient::validate_base_client_config(&self.inner, components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        HttpClient::validate_final_config(&self.inner, components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct GatedConnector {
    inner: SharedHttpConnector,
    gate: Arc<dyn Gate>,
}

impl HttpConnector for GatedConnector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let call = match self.gate.admit(&mut request) {
            Ok(call) => call,
            Err(refusal) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(refusal.into())));
            }
        };
        let answer = self.inner.call(request);
        let gate = Arc::clone(&self.gate);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            settle(gate.guard(), call, &answer);
            answer
        })
    }
}

fn settle(guard: &Guard, call: CallId, answer: &Result<HttpResponse, ConnectorError>) {
    match answer {
        Ok(response) => {
            let headers = response.headers();
            guard.answered_by(call, headers.get("x-drctl-server"), headers.get("server"));
            guard.dated(headers.get("date"));
            guard.answered(call, response.status().as_u16());
        }
        Err(error) => guard.failed(call, &crate::cloud::classify::causes(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;
    use crate::cloud::guard::calls::CallOutcome;
    use crate::cloud::options::GuardPolicy;
    use aws_smithy_types::body::SdkBody;

    fn guard() -> Guard {
        Guard::new(GuardPolicy::live(["rds:DeleteDBInstance"]), Clock::real())
    }

    fn request(service: &str, action: &str, clearance: Option<&str>) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(format!("Action={action}&Version=1")));
        let headers = request.headers_mut();
        headers.insert("content-type", "application/x-www-form-urlencoded");
        let scope = format!("20260115/us-east-1/{service}/aws4_request");
        headers.insert("authorization", format!("AWS4-HMAC-SHA256 Credential=k/{scope}, S=1"));
        if let Some(clearance) = clearance {
            headers.insert(CLEARANCE_HEADER, clearance.to_owned());
        }
        request
    }

    #[tokio::test]
    async fn a_clearance_covers_exactly_what_it_was_given_for() {
        let guard = guard();
        let gate = Clearances { guard: guard.clone() };
        let call = guard.begin("rds:DescribeDBInstances", "us-east-1", CallSource::Service);
        let clearance = guard.clearance(call);
        let mut right = request("rds", "DescribeDBInstances", Some(&clearance));
        assert_eq!(gate.admit(&mut right), Ok(call));
        assert_eq!(right.headers().get(CLEARANCE_HEADER), None);
        assert_eq!(
            gate.admit(&mut right),
            Err(GuardRefusal::Uncleared { said: "rds:DescribeDBInstances".to_owned() })
        );
        for (service, action, said) in [
            ("rds", "DeleteDBInstance", "rds:DeleteDBInstance"),
            ("sts", "DescribeDBInstances", "sts:DescribeDBInstances"),
            ("rds", "DescribeDBInstances&Action=DeleteDBInstance", "rds:(unreadable)"),
        ] {
            let call = guard.begin("rds:DescribeDBInstances", "us-east-1", CallSource::Service);
            let clearance = guard.clearance(call);
            let mut wrong = request(service, action, Some(&clearance));
            let cleared = "rds:DescribeDBInstances".to_owned();
            let said = said.to_owned();
            assert_eq!(gate.admit(&mut wrong), Err(GuardRefusal::Mismatch { cleared, said }));
            let calls = guard.calls();
            let record = calls.records().last().expect("recorded");
            assert!(matches!(record.outcome, CallOutcome::Refused(_)) && record.attempts == 0);
            // What was refused once stays refused.
            let mut again = request("rds", "DescribeDBInstances", Some(&clearance));
            assert!(matches!(gate.admit(&mut again), Err(GuardRefusal::Uncleared { .. })));
        }
    }

    #[tokio::test]
    async fn guessed_and_foreign_clearances_are_none() {
        let (guard, other) = (guard(), guard());
        let gate = Clearances { guard: guard.clone() };
        let call = guard.begin("rds:DescribeDBInstances", "us-east-1", CallSource::Service);
        other.begin("rds:DescribeDBInstances", "us-east-1", CallSource::Service);
        let foreign = other.clearance(call);
        let beyond = guard.clearance(call).replace("-0", "-7");
        for clearance in ["0", "-0", "0000000000000000-0", "x-drctl", &foreign, &beyond] {
            let mut request = request("rds", "DescribeDBInstances", Some(clearance));
            let refused = gate.admit(&mut request);
            assert!(matches!(refused, Err(GuardRefusal::Uncleared { .. })), "{clearance}");
        }
    }

    #[tokio::test]
    async fn a_mutation_is_sent_once_even_if_somebody_repeats_it() {
        let guard = guard();
        let gate = Clearances { guard: guard.clone() };
        let call = guard.begin("rds:DeleteDBInstance", "us-east-1", CallSource::Service);
        let clearance = guard.clearance(call);
        let mut first = request("rds", "DeleteDBInstance", Some(&clearance));
        assert_eq!(gate.admit(&mut first), Ok(call));
        let mut second = request("rds", "DeleteDBInstance", Some(&clearance));
        let operation = "rds:DeleteDBInstance".to_owned();
        assert_eq!(gate.admit(&mut second), Err(GuardRefusal::Repeated { operation }));
        assert_eq!(guard.calls().records()[0].attempts, 1);
    }

    #[tokio::test]
    async fn a_mutation_does_not_leave_after_the_lease_has_ended() {
        let (guard, clock) = (guard(), Clock::real());
        let gate = Clearances { guard: guard.clone() };
        guard.leased(&clock, clock.now());
        let read = guard.begin("rds:DescribeDBInstances", "us-east-1", CallSource::Service);
        let mut look = request("rds", "DescribeDBInstances", Some(&guard.clearance(read)));
        assert_eq!(gate.admit(&mut look), Ok(read), "looking is always allowed");
        let call = guard.begin("rds:DeleteDBInstance", "us-east-1", CallSource::Service);
        let clearance = guard.clearance(call);
        let mut late = request("rds", "DeleteDBInstance", Some(&clearance));
        let operation = "rds:DeleteDBInstance".to_owned();
        assert_eq!(gate.admit(&mut late), Err(GuardRefusal::LeaseEnded { operation }));
        assert_eq!(guard.calls().records()[1].attempts, 0);
        guard.leased(&clock, clock.now() + chrono::TimeDelta::minutes(1));
        let mut renewed = request("rds", "DeleteDBInstance", Some(&clearance));
        assert_eq!(gate.admit(&mut renewed), Ok(call));
    }
}
