//! The gate for requests of credential providers (STS, SSO, instance and container metadata), which
//! the SDK makes outside of any client of ours.
//!
//! **Invariant:** a list of hosts with methods and paths, and of STS actions; nothing else leaves.

use crate::cloud::guard::calls::CallSource;
use crate::cloud::guard::connector::{Gate, gated};
use crate::cloud::guard::ledger::{CallId, Guard};
use crate::cloud::guard::refusal::GuardRefusal;
use crate::cloud::guard::wire;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use std::collections::BTreeSet;
use std::sync::Arc;

/// STS actions that credential providers use.
const STS_ACTIONS: [&str; 2] = ["AssumeRole", "AssumeRoleWithWebIdentity"];

/// Addresses of the instance metadata service.
const INSTANCE_METADATA: [&str; 2] = ["169.254.169.254", "fd00:ec2::254"];

/// Addresses of the container credential services of ECS and EKS; the SDK itself takes a full URI
/// only with these or with loopback addresses.
const CONTAINER_CREDENTIALS: [&str; 6] =
    ["169.254.170.2", "169.254.170.23", "fd00:ec2::23", "127.0.0.1", "::1", "localhost"];

/// Variables that move STS to another endpoint.
const STS_ENDPOINT_VARIABLES: [&str; 2] = ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"];

/// The inner client for credential providers; `sts_hosts` may serve STS beside AWS's own hosts.
pub(crate) fn for_credentials(
    inner: SharedHttpClient,
    guard: Guard,
    sts_hosts: BTreeSet<String>,
) -> SharedHttpClient {
    gated(inner, Arc::new(CredentialCalls { guard, sts_hosts }))
}

/// Hosts that the environment variables name for STS.
pub(crate) fn sts_hosts_of_environment() -> BTreeSet<String> {
    let urls = STS_ENDPOINT_VARIABLES.iter().filter_map(|name| std::env::var(name).ok());
    urls.filter_map(|url| host_of(&url)).collect()
}

/// The host of an address.
pub(crate) fn host_of(url: &str) -> Option<String> {
    let mut request = HttpRequest::empty();
    request.set_uri(url).ok()?;
    Some(wire::host_and_path(&request).0)
}

#[derive(Debug)]
struct CredentialCalls {
    guard: Guard,
    sts_hosts: BTreeSet<String>,
}

impl Gate for CredentialCalls {
    fn admit(&self, request: &mut HttpRequest) -> Result<CallId, GuardRefusal> {
        let named = self.name(request);
        let place = wire::place(request);
        let operation = named.clone().unwrap_or_else(|| place.clone());
        let call = self.guard.begin(&operation, &region(request), CallSource::Credentials);
        if named.is_none() {
            let refusal = GuardRefusal::NotACredentialCall { place };
            self.guard.refuse(call, &refusal);
            return Err(refusal);
        }
        self.guard.send(call)?;
        Ok(call)
    }

    fn guard(&self) -> &Guard {
        &self.guard
    }
}

impl CredentialCalls {
    /// What a request is, when it is on the list.
    fn name(&self, request: &HttpRequest) -> Option<String> {
        let (host, path) = wire::host_and_path(request);
        let labels: Vec<&str> = host.split('.').collect();
        let on_aws = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
        let method = request.method();
        if INSTANCE_METADATA.contains(&host.as_str()) {
            let token = method == "PUT" && path == "/latest/api/token";
            let read = method == "GET"
                && ["/latest/meta-data/iam/", "/latest/meta-data/placement/", "/latest/dynamic/"]
                    .iter()
                    .any(|prefix| path.starts_with(prefix));
            return (token || read).then(|| "imds:Read".to_owned());
        }
        if on_aws && labels[0] == "portal" && labels.get(1) == Some(&"sso") {
            let read = method == "GET" && path == "/federation/credentials";
            return read.then(|| "sso:GetRoleCredentials".to_owned());
        }
        if on_aws && labels[0] == "oidc" {
            return (method == "POST" && path == "/token")
                .then(|| "sso-oidc:CreateToken".to_owned());
        }
        let sts = on_aws && (labels[0] == "sts" || labels[0] == "sts-fips");
        if sts || self.sts_hosts.contains(&host) {
            let action = wire::action(request)?;
            let known = method == "POST" && STS_ACTIONS.contains(&action.as_str());
            return known.then(|| format!("sts:{action}"));
        }
        let container = CONTAINER_CREDENTIALS.contains(&host.as_str()) && method == "GET";
        container.then(|| "container:Credentials".to_owned())
    }
}

/// The region in an AWS host name such as `sts.us-east-1.amazonaws.com`; empty when there is none.
fn region(request: &HttpRequest) -> String {
    let (host, _) = wire::host_and_path(request);
    let Some((before, _)) = host.split_once(".amazonaws.com") else { return String::new() };
    let last = before.rsplit('.').next().unwrap_or_default();
    if last.contains('-') { last.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;
    use crate::cloud::guard::calls::CallOutcome;
    use crate::cloud::options::GuardPolicy;
    use aws_smithy_types::body::SdkBody;

    fn request(method: &str, uri: &str, body: &'static str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method(method).expect("method");
        request.set_uri(uri).expect("uri");
        request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
        request
    }

    #[tokio::test]
    async fn the_list_is_closed() {
        let guard = Guard::new(GuardPolicy::DryRun, Clock::real());
        let sts_hosts = BTreeSet::from(["moto.test".to_owned()]);
        let gate = CredentialCalls { guard: guard.clone(), sts_hosts };
        let sts = "https://sts.us-east-1.amazonaws.com/";
        for (method, uri, body, expected) in [
            ("POST", sts, "Action=AssumeRole&Version=2011-06-15", Some("sts:AssumeRole")),
            ("POST", sts, "Action=GetFederationToken", None),
            ("POST", "http://moto.test:5000/", "Action=AssumeRole", Some("sts:AssumeRole")),
            ("POST", "http://moto.test:5000/", "Action=DeleteDBInstance", None),
            ("POST", "https://rds.us-east-1.amazonaws.com/", "Action=AssumeRole", None),
            ("POST", "https://sts.us-east-1.amazonaws.com.evil.test/", "Action=AssumeRole", None),
            (
                "GET",
                "http://169.254.169.254/latest/meta-data/iam/security-credentials/r",
                "",
                Some("imds:Read"),
            ),
            ("PUT", "http://169.254.169.254/latest/api/token", "", Some("imds:Read")),
            ("PUT", "http://169.254.169.254/latest/meta-data/iam/x", "", None),
            ("GET", "http://169.254.170.2/v2/credentials/1", "", Some("container:Credentials")),
            ("POST", "http://127.0.0.1:5000/", "Action=DeleteDBInstance", None),
            (
                "GET",
                "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?x=1",
                "",
                Some("sso:GetRoleCredentials"),
            ),
            ("POST", "https://portal.sso.eu-west-1.amazonaws.com/logout", "", None),
            (
                "POST",
                "https://oidc.eu-west-1.amazonaws.com/token",
                "{}",
                Some("sso-oidc:CreateToken"),
            ),
            ("GET", "https://example.test/", "", None),
        ] {
            let mut request = request(method, uri, body);
            assert_eq!(gate.admit(&mut request).is_ok(), expected.is_some(), "{method} {uri}");
            let calls = guard.calls();
            let record = calls.records().last().expect("recorded");
            assert_eq!(record.source, CallSource::Credentials);
            match expected {
                Some(name) => assert_eq!((record.operation.as_str(), record.attempts), (name, 1)),
                None => assert!(matches!(record.outcome, CallOutcome::Refused(_)), "{record:?}"),
            }
        }
        assert_eq!(guard.calls().records()[0].region, "us-east-1");
    }
}
