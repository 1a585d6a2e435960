//! `drctl doctor`: what it finds, what it says to do, and its exit codes.

use crate::env::TestEnv;
use serde_json::Value as Json;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

/// The finding about `topic` at `place`.
#[track_caller]
fn finding(document: &Json, place: &str, topic: &str) -> Json {
    let findings = document["findings"].as_array().expect("findings");
    let found = findings.iter().find(|found| found["place"] == place && found["topic"] == topic);
    found.unwrap_or_else(|| panic!("no {topic} at {place} in {document:#}")).clone()
}

/// An estate whose environments are AWS itself by their configuration; the tests set endpoint
/// variables, so that loopback answers.
fn estate(account: &str) -> String {
    format!(
        r#"apiVersion: drctl/v1
kind: Estate
name: shop
databases:
  orders:
    instance: techcorp-orders
    engine_version: "15.3"
    class: db.t3.medium
    storage_gib: 100
    backup_retention_days: 7
    subnet_group: shop-private
    security_groups: [sg-0a1b2c3d4e5f60001]
    parameter_group: shop-postgres15
    database: orders
    user: orders_admin
environments:
  cloud: {{ type: aws, account: "{account}", region: us-east-1, profile: ops }}
"#
    )
}

#[test]
fn the_simulator_and_the_machine_are_examined_by_default() {
    let env = TestEnv::new();
    let shown = env.run(&["doctor"]).expect(0);
    let shown = shown.shows(&["state directory", "account 123456789012", "not asked: "]);
    assert!(shown.stdout.contains("production"), "{}", shown.stdout);
    let document = env.run(&["doctor", "--output", "json"]).expect(0).json();
    assert_eq!(document["schema_version"], 1);
    for topic in ["endpoints", "credentials", "account", "clock", "region", "database"] {
        assert_eq!(finding(&document, "sim", topic)["state"], "ok", "{topic}");
    }
    assert_eq!(finding(&document, "machine", "files")["state"], "ok");
}

#[test]
fn named_resolvers_are_asked_and_others_are_not() {
    let env = TestEnv::new();
    let free = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address").to_string();
    drop(free);
    let out = env.run(&["doctor", "--resolver", &address]).expect(18);
    // Refused or silent, as the machine's firewall has it.
    out.shows(&["FAIL     resolver", &format!("resolver {address} ")]);
    env.run(&["doctor", "--resolver", "dns.example"]).expect(2).says(&["is no resolver"]);
    let document = env.run(&["doctor", "--output", "json"]).expect(0).json();
    let findings = document["findings"].as_array().expect("findings");
    assert!(!findings.iter().any(|found| found["topic"] == "resolver"), "nobody was named");
}

#[test]
fn what_is_wrong_has_a_help_and_a_code() {
    let env = TestEnv::new();
    env.write("runbooks/bad.yaml", "kind: Runbook\n");
    env.run(&["doctor"]).expect(2).shows(&["FAIL     files", "bad", "drctl runbook validate"]);
    let env = TestEnv::new();
    env.write("file", "");
    let mut command = env.command(&["doctor"]);
    command.env("DRCTL_STATE_DIR", env.project().join("file"));
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(16));
    assert!(String::from_utf8_lossy(&output.stdout).contains("set DRCTL_STATE_DIR"));
    env.run(&["doctor", "--env", "simm"]).expect(2).says(&["did you mean `sim`"]);
}

#[test]
fn without_credentials_it_says_how_to_get_some() {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate("123456789012"));
    let shown = env.run(&["doctor", "--estate", "shop", "--env", "cloud"]).expect(18);
    shown.shows(&["FAIL     credentials", "aws sso login"]);
}

/// `drctl sim serve`, which ends with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(env: &TestEnv) -> (Served, String) {
    let mut command =
        env.command(&["sim", "serve", "--estate", "techcorp", "--port", "0", "--ephemeral"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("its first line");
    let endpoint = line.split_whitespace().find(|word| word.starts_with("http://"));
    let endpoint = endpoint.unwrap_or_else(|| panic!("no address in {line}")).to_owned();
    (Served(child), endpoint)
}

/// What the doctor says with a profile whose `credential_process` prints `credentials`.
fn with_process(env: &TestEnv, endpoint: &str, credentials: &str) -> (i32, Json) {
    env.write("credentials.json", credentials);
    let process = format!("cat {}", env.project().join("credentials.json").display());
    let config =
        env.write("aws-config", &format!("[profile ops]\ncredential_process = {process}\n"));
    let mut command =
        env.command(&["doctor", "--estate", "shop", "--env", "cloud", "--output", "json"]);
    command.env("AWS_CONFIG_FILE", config).env("AWS_ENDPOINT_URL", endpoint);
    let output = command.output().expect("it starts");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!shown.contains("squirrel"), "a secret is shown: {shown}");
    let code = output.status.code().expect("it ended by itself");
    (code, serde_json::from_str(&shown).expect("JSON"))
}

#[test]
fn profiles_with_a_credential_process_are_used_and_their_end_is_told() {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate("123456789012"));
    let (_served, endpoint) = serve(&env);
    let keys = r#""Version": 1, "AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "squirrel""#;
    let (_, document) = with_process(&env, &endpoint, &format!("{{ {keys} }}"));
    assert_eq!(finding(&document, "cloud", "credentials")["state"], "ok");
    assert_eq!(finding(&document, "cloud", "account")["state"], "ok");
    assert_eq!(finding(&document, "cloud", "region")["state"], "ok");
    // Somebody who forgot the variable reads here that it is not AWS that answers.
    let endpoints = finding(&document, "cloud", "endpoints");
    assert_eq!(endpoints["state"], "warn");
    assert!(endpoints["what"].as_str().expect("text").contains(&endpoint), "{endpoints}");
    let far = r#""SessionToken": "squirrel", "Expiration": "2099-01-01T00:00:00Z""#;
    let (_, document) = with_process(&env, &endpoint, &format!("{{ {keys}, {far} }}"));
    let credentials = finding(&document, "cloud", "credentials");
    assert_eq!(credentials["what"], "they last until 2099-01-01T00:00:00Z");
    let (code, document) = with_process(&env, &endpoint, "no JSON");
    assert_eq!(code, 18);
    assert_eq!(finding(&document, "cloud", "credentials")["state"], "fail");
}

#[test]
fn another_account_is_a_failure() {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate("999999999999"));
    let (_served, endpoint) = serve(&env);
    let keys = r#"{ "Version": 1, "AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "squirrel" }"#;
    let (code, document) = with_process(&env, &endpoint, keys);
    assert_eq!(code, 18);
    let account = finding(&document, "cloud", "account");
    assert!(account["what"].as_str().expect("text").contains("999999999999"), "{account}");
}
