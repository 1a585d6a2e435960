//! The guard test: every operation of every SDK crate that is linked, called in a dry run.
//!
//! **Invariant:** the operations come from the SDK crates' own source, so that a new one cannot be
//! forgotten; a refusal counts only when it is the guard's and names exactly that operation.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use drctl::base::clock::{Clock, simulated_epoch};
use drctl::cloud::GuardPolicy;
use drctl::cloud::guard::connector::guarded;
use drctl::cloud::guard::interceptor::{CLEARANCE_HEADER, GuardInterceptor};
use drctl::cloud::guard::{Guard, GuardRefusal, allow_list};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::sync::{Arc, Mutex};

mod guard {
    pub(crate) mod cloudwatch;
    pub(crate) mod ecs;
    pub(crate) mod iam;
    pub(crate) mod kms;
    pub(crate) mod logs;
    pub(crate) mod rds;
    pub(crate) mod route53;
    pub(crate) mod s3;
    pub(crate) mod secretsmanager;
    pub(crate) mod sns;
    pub(crate) mod sts;
}

type Attempt = Pin<Box<dyn Future<Output = Result<(), Box<dyn Error + Send + Sync>>>>>;

/// One operation of the list.
pub(crate) struct Operation {
    /// The client's method, which is also the name of the operation's source file.
    method: &'static str,
    /// Whether planning may call it.
    read: bool,
    /// The call, without any parameter.
    attempt: Attempt,
}

/// Makes `all(client)`, the calls of one service, from its list of methods.
macro_rules! operations {
    ($client:ty; reads: [$($read:ident $({$($field:ident: $value:expr),*})?,)*]
     others: [$($other:ident $({$($given:ident: $text:literal),*})?,)*]) => {
        /// Every operation of the service, called with those parameters only without which the SDK
        /// refuses a call before any interceptor of ours sees it.
        pub(crate) fn all(client: &$client) -> Vec<crate::Operation> {
            vec![
                $(operations!(@one client, $read $($(, $field: $value)*)?; true),)*
                $(operations!(@one client, $other $($(, $given: $text)*)?; false),)*
            ]
        }
    };
    (@one $client:ident, $method:ident $(, $field:ident: $value:expr)*; $read:literal) => {{
        let client = $client.clone();
        crate::Operation {
            method: stringify!($method),
            read: $read,
            attempt: Box::pin(async move {
                client.$method()$(.$field($value))*.send().await.map(|_| ()).map_err(Into::into)
            }),
        }
    }};
}
pub(crate) use operations;

/// What reaches the network: everything that was sent, answered with an empty success.
#[derive(Debug, Clone, Default)]
struct Wire {
    sent: Arc<Mutex<Vec<HttpRequest>>>,
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let is_json = request.headers().get("x-amz-target").is_some();
        self.sent.lock().expect("no panic holds it").push(request);
        let body = if is_json { "{}" } else { "<Response><Result/></Response>" };
        let status = StatusCode::try_from(200).expect("a valid status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

impl Wire {
    fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    fn take(&self) -> Vec<HttpRequest> {
        std::mem::take(&mut *self.sent.lock().expect("no panic holds it"))
    }
}

fn sdk(http: SharedHttpClient) -> SdkConfig {
    let credentials = Credentials::new("drctl-no-key", "drctl", None, None, "test");
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(1))
        .build()
}

macro_rules! client {
    ($sdk:ident, $guard:expr, $wire:expr) => {
        $sdk::Client::from_conf(
            $sdk::config::Builder::from(&sdk(guarded($wire.client(), $guard.clone())))
                .interceptor(GuardInterceptor::new($guard.clone()))
                .build(),
        )
    };
}

fn new_guard(policy: GuardPolicy) -> Guard {
    Guard::new(policy, Clock::virtual_from(simulated_epoch()))
}

/// The platform this test runs on. Packages of other platforms may not be on this computer.
fn platform() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host line").to_owned()
}

/// Where cargo keeps the source of an SDK crate.
fn crate_source(name: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--format-version", "1", "--filter-platform"])
        .arg(platform())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|package| package["name"] == name).expect("linked");
    let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
    manifest.parent().expect("a directory").join("src")
}

/// Operations of an SDK crate: method name (the file's) and AWS's name (from its metadata).
fn operations_of(name: &str) -> BTreeMap<String, String> {
    let directory = crate_source(name).join("operation");
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(&directory).expect("the SDK keeps its operations there") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).expect("readable");
            let after = source.split("Metadata::new(").nth(1).expect("an operation has metadata");
            let operation = after.split('"').nth(1).expect("its name").to_owned();
            let method = path.file_stem().expect("a name").to_string_lossy().into_owned();
            found.insert(method, operation);
        }
    }
    found
}

/// What a request asks for, read without any code of drctl.
fn action_of(request: &HttpRequest) -> String {
    if request.headers().get("authorization").is_some_and(|header| header.contains("/s3/")) {
        return guard::s3::read_of(request).to_owned();
    }
    if request.headers().contains_key("smithy-protocol") {
        return request.uri().rsplit('/').next().unwrap_or_default().to_owned();
    }
    if request.headers().get("authorization").is_some_and(|header| header.contains("/route53/")) {
        return guard::route53::read_of(request).to_owned();
    }
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().unwrap_or_default().to_owned();
    }
    let body = request.body().bytes().unwrap_or_default();
    let action = form_urlencoded::parse(body).find(|(key, _)| key == "Action");
    action.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Calls every operation of a service through a guarded client and judges each.
#[expect(clippy::print_stdout, reason = "the figures are evidence of what was covered")]
async fn judge(service: &str, crate_name: &str, operations: Vec<Operation>, wire: &Wire) {
    let known = operations_of(crate_name);
    let listed: BTreeSet<&str> = operations.iter().map(|operation| operation.method).collect();
    let in_crate: BTreeSet<&str> = known.keys().map(String::as_str).collect();
    assert_eq!(listed, in_crate, "tests/guard/{service}.rs and {crate_name} differ");
    assert_eq!(operations.len(), known.len(), "an operation is listed twice");
    let mut reads = 0;
    for Operation { method, read, attempt } in operations {
        let name = format!("{service}:{}", known[method]);
        let result = attempt.await;
        let sent = wire.take();
        if read {
            reads += 1;
            assert_eq!(sent.len(), 1, "{name} may pass: {result:?}");
            assert_eq!(action_of(&sent[0]), known[method]);
            assert_eq!(sent[0].headers().get(CLEARANCE_HEADER), None, "{name} leaks its clearance");
        } else {
            assert!(sent.is_empty(), "{name} was sent in a dry run");
            let error = result.expect_err("a refused call fails");
            assert_eq!(
                GuardRefusal::find(error.as_ref()),
                Some(&GuardRefusal::DryRunRefused { operation: name.clone() }),
                "{name}: {error:?}"
            );
        }
    }
    println!("{service}: {} operations, {reads} read-only", known.len());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_every_operation_of_rds_that_it_need_not_call() {
    let (wire, guard) = (Wire::default(), new_guard(GuardPolicy::DryRun));
    let client = client!(aws_sdk_rds, guard, wire);
    judge("rds", "aws-sdk-rds", guard::rds::all(&client), &wire).await;
    let calls = guard_records(&guard);
    assert_eq!(calls.0, allow_list::RDS.len(), "each operation of the allow-list exists");
    assert!(calls.1 > 100, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_every_operation_of_sts_that_it_need_not_call() {
    let (wire, guard) = (Wire::default(), new_guard(GuardPolicy::DryRun));
    let client = client!(aws_sdk_sts, guard, wire);
    judge("sts", "aws-sdk-sts", guard::sts::all(&client), &wire).await;
    assert_eq!(guard_records(&guard).0, allow_list::STS.len());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_every_operation_of_secrets_manager_that_it_need_not_call() {
    let (wire, guard) = (Wire::default(), new_guard(GuardPolicy::DryRun));
    let client = client!(aws_sdk_secretsmanager, guard, wire);
    let all = guard::secretsmanager::all(&client);
    judge("secretsmanager", "aws-sdk-secretsmanager", all, &wire).await;
    assert_eq!(guard_records(&guard).0, allow_list::SECRETS_MANAGER.len());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_every_operation_of_iam_that_it_need_not_call() {
    let (wire, guard) = (Wire::default(), new_guard(GuardPolicy::DryRun));
    let client = client!(aws_sdk_iam, guard, wire);
    let all = guard::iam::all(&client);
    judge("iam", "aws-sdk-iam", all, &wire).await;
    assert_eq!(guard_records(&guard).0, allow_list::IAM.len());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_every_operation_of_kms_that_it_need_not_call() {
    let (wire, guard) = (Wire::default(), new_guard(GuardPolicy::DryRun));
    let client = client!(aws_sdk_kms, guard, wire);
    judge("kms", "aws-sdk-kms", guard::kms::all(&client), &wire).await;
    assert_eq!(guard_records(&guard).0, allow_list::KMS.len());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_every_operation_of_s3_that_it_need_not_call() {
    let (wire, guard) = (Wire::default(), new_guard(GuardPolicy::DryRun));
    let client = client!(aws_sdk_s3, guard, wire);
    judge("s3", "aws-sdk-s3", guard::s3::all(&client), &wire).await;
    assert_eq!(guard_records(&guard).0, allow_list::S3.len());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_every_operation_of_sns() {
    let (wire, guard) = (Wire::default(), new_guard(GuardPolicy::DryRun));
    let client = client!(aws_sdk_sns, guard, wire);
    judge("sns", "aws-sdk-sns", guard::sns::all(&client), &wire).await;
    assert_eq!(guard_records(&guard).0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_every_operation_of_cloudwatch_that_it_need_not_call() {
    let (wire, guard) = (Wire::default(), new_guard(GuardPolicy::DryRun));
    let client = client!(aws_sdk_cloudwatch, guard, wire);
    judge("cloudwatch", "aws-sdk-cloudwatch", guard::cloudwatch::all(&client), &wire).await;
    assert_eq!(guard_records(&guard).0, allow_list::CLOUDWATCH.len());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_every_operation_of_route53_that_it_need_not_call() {
    let (wire, guard) = (Wire::default(), new_guard(GuardPolicy::DryRun));
    let client = client!(aws_sdk_route53, guard, wire);
    judge("route53", "aws-sdk-route53", guard::route53::all(&client), &wire).await;
    assert_eq!(guard_records(&guard).0, allow_list::ROUTE_53.len());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_every_operation_of_ecs_that_it_need_not_call() {
    let (wire, guard) = (Wire::default(), new_guard(GuardPolicy::DryRun));
    let client = client!(aws_sdk_ecs, guard, wire);
    judge("ecs", "aws-sdk-ecs", guard::ecs::all(&client), &wire).await;
    assert_eq!(guard_records(&guard).0, allow_list::ECS.len());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_refuses_every_operation_of_logs_that_it_need_not_call() {
    let (wire, guard) = (Wire::default(), new_guard(GuardPolicy::DryRun));
    let client = client!(aws_sdk_cloudwatchlogs, guard, wire);
    judge("logs", "aws-sdk-cloudwatchlogs", guard::logs::all(&client), &wire).await;
    assert_eq!(guard_records(&guard).0, allow_list::CLOUDWATCH_LOGS.len());
}

/// Calls that were sent and calls that were refused, as the guard recorded them.
fn guard_records(guard: &Guard) -> (usize, usize) {
    let calls = guard.calls();
    (calls.sent().len(), calls.refused().count())
}

#[tokio::test(start_paused = true)]
async fn a_client_without_the_interceptor_sends_nothing() {
    let (wire, guard) = (Wire::default(), new_guard(GuardPolicy::DryRun));
    let config = sdk(guarded(wire.client(), guard.clone()));
    let client = aws_sdk_rds::Client::new(&config);
    let error = client.describe_db_instances().send().await.expect_err("uncleared");
    let refusal = GuardRefusal::find(&error).expect("the guard's");
    let said = "rds:DescribeDBInstances".to_owned();
    assert_eq!(*refusal, GuardRefusal::Uncleared { said });
    assert!(wire.take().is_empty());
    assert_eq!(guard_records(&guard), (0, 1), "the attempt is on record");
}

#[tokio::test(start_paused = true)]
async fn a_live_run_sends_what_its_plan_declared_and_nothing_else() {
    let declared = GuardPolicy::live(["rds:DeleteDBInstance"]);
    let (wire, guard) = (Wire::default(), new_guard(declared));
    let rds = client!(aws_sdk_rds, guard, wire);
    let _ = rds.delete_db_instance().db_instance_identifier("drctl-a").send().await;
    assert_eq!(wire.take().len(), 1);
    let error = rds.delete_db_cluster().send().await.expect_err("undeclared");
    let operation = "rds:DeleteDBCluster".to_owned();
    assert_eq!(GuardRefusal::find(&error), Some(&GuardRefusal::NotDeclared { operation }));
    let secrets = client!(aws_sdk_secretsmanager, guard, wire);
    let error = secrets.get_secret_value().secret_id("s").send().await.expect_err("undeclared");
    let operation = "secretsmanager:GetSecretValue".to_owned();
    assert_eq!(GuardRefusal::find(&error), Some(&GuardRefusal::NotDeclared { operation }));
    assert!(wire.take().is_empty());
    let reads = rds.describe_db_instances().send().await;
    assert_eq!(wire.take().len(), 1, "{reads:?}");
}

/// Rust files below a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("readable").path()) {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn one_file_makes_clients_and_one_module_knows_the_sdk() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (cloud, factory) = (root.join("cloud"), root.join("cloud/clients.rs"));
    let mut makers = Vec::new();
    for path in sources(&root) {
        let text = std::fs::read_to_string(&path).expect("readable");
        let inside = path.starts_with(&cloud);
        // The simulator's tests are clients of it: they check its wire format with the real SDK.
        let tests = path.starts_with(root.join("sim/tests"));
        let makes = text.contains("::Client::from_conf(") || text.contains("::Client::new(");
        // Calls without a client of the SDK's are made in one file, by what the factory gives.
        let calls = text.contains("Operation::builder()");
        assert_eq!(calls, path.ends_with("cloud/own.rs"), "{}", path.display());
        if makes && !tests {
            makers.push(path.clone());
        }
        let knows = text.contains("aws_sdk_");
        assert!(inside || tests || !knows, "{} knows the SDK", path.display());
    }
    assert_eq!(makers, [factory]);
}
