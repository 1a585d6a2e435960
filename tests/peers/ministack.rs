//! Journals that a team shares, in the S3 of MiniStack, a server that we did not write, over TCP: two state
//! directories are two machines, `drctl sim serve` is the AWS that they change.
//!
//! **Invariant:** the bucket is made and read back by boto3, so that no code of ours parses its answers.

use crate::served::{Served, python};
use crate::support::{Background, drctl, repository, run, skip};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The estate is played at this speed.
const SPEED: u32 = 500;

const DRILL: [&str; 5] = ["drill", "survive", "--yes", "--pace", "300"];

#[expect(clippy::disallowed_methods, reason = "its peers are processes, which live in real time")]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

/// A MiniStack with an empty bucket.
pub(crate) struct MiniStack {
    pub(crate) address: String,
    python: PathBuf,
    _process: Background,
    _directory: tempfile::TempDir,
}

impl MiniStack {
    pub(crate) fn start() -> Option<Self> {
        Self::started(false)
    }

    /// One that asks whether callers may; `test` with `test` may everything.
    pub(crate) fn that_denies() -> Option<Self> {
        Self::started(true)
    }

    fn started(denies: bool) -> Option<Self> {
        let python = python()?;
        let program = repository().join(".state/localstack/ministack/bin/ministack");
        if !program.exists() {
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let directory = tempfile::tempdir().expect("a directory");
        let process = Command::new(program)
            .current_dir(directory.path())
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("AUTH", denies.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ministack starts");
        let address = format!("127.0.0.1:{port}");
        let stack = Self { address, python, _process: Background(process), _directory: directory };
        for _ in 0..400 {
            if stack.answers() {
                stack.boto3(
                    "s3.create_bucket(Bucket='team-journals', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})",
                );
                return Some(stack);
            }
            pause();
        }
        panic!("ministack never answered");
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(&self.address) else { return false };
        let asked = stream.write_all(b"GET / HTTP/1.0\r\n\r\n");
        asked.is_ok() && stream.read(&mut [0; 1]).is_ok_and(|count| count == 1)
    }

    /// A Python that has boto3.
    pub(crate) fn python(&self) -> &Path {
        &self.python
    }

    /// Runs a line of Python with `s3`, a client of boto3; what it prints.
    pub(crate) fn boto3(&self, line: &str) -> String {
        let script = format!(
            "import boto3\ns3 = boto3.client('s3', endpoint_url='http://{}', region_name='eu-west-1', \
             aws_access_key_id='test', aws_secret_access_key='test')\n{line}",
            self.address
        );
        let ended = run(Command::new(&self.python).args(["-c", &script]));
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended.stdout
    }
}

/// A machine: a project and a state directory.
struct Machine {
    directory: tempfile::TempDir,
    journals: String,
}

impl Machine {
    fn new(stack: &MiniStack, served: &Served) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let project = directory.path().join("project");
        let write = |name: &str, text: &str| {
            let path = project.join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(&path, text).expect("a file");
        };
        write("runbooks/survive.yaml", include_str!("../cli/survive.yaml"));
        let drill = "apiVersion: drctl/v1\nkind: Drill\nname: survive\nrunbook: survive\n\
                     estate: shop\nenvironment: there\n";
        write("drills/survive.yaml", drill);
        write("estates/shop.yaml", &estate(&served.endpoint));
        write("judge.sh", "#!/bin/sh\nexit \"$1\"\n");
        let judge = project.join("judge.sh");
        let chmod = Command::new("chmod").arg("+x").arg(judge).status().expect("chmod");
        assert!(chmod.success());
        Self { directory, journals: format!("http://{}", stack.address) }
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = drctl(&self.state());
        command
            .args(args)
            .current_dir(self.directory.path().join("project"))
            .env("DRCTL_JOURNAL", "s3://team-journals/dr")
            .env("AWS_ENDPOINT_URL_S3", &self.journals);
        command
    }

    /// Waits until the drill has begun to restore.
    fn restoring(&self) {
        for _ in 0..400 {
            let shown = run(&mut self.command(&["status", "--output", "json"]));
            let list: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
            let runs = list["runs"].as_array().expect("a list");
            let open = runs.iter().find(|run| run["outcome"].is_null());
            if open.is_some_and(|run| run["steps_done"].as_u64().unwrap_or_default() >= 1) {
                return;
            }
            pause();
        }
        panic!("it never began");
    }
}

fn estate(endpoint: &str) -> String {
    format!(
        r#"apiVersion: drctl/v1
kind: Estate
name: shop
databases:
  orders:
    instance: shop-orders
    engine_version: "15.3"
    class: db.t3.medium
    storage_gib: 100
    kms_key: alias/shop
    backup_retention_days: 7
    subnet_group: shop-private
    security_groups: [sg-0a1b2c3d4e5f60001]
    parameter_group: shop-postgres15
    database: orders
    user: orders_admin
    secret: shop/orders
environments:
  sim: {{ type: simulated, account: "123456789012", region: us-east-1, topics: [alerts] }}
  there:
    type: endpoints
    account: "123456789012"
    region: us-east-1
    endpoints: {{ default: '{endpoint}' }}
"#
    )
}

/// The simulator of the estate above.
fn served(directory: &Path) -> Served {
    let path = directory.join("estates/shop.yaml");
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    fs::write(path, estate("http://127.0.0.1:9")).expect("a file");
    Served::of(directory, "shop", SPEED)
}

#[test]
fn two_machines_share_journals_in_ministack() {
    let Some(stack) = MiniStack::start() else { return skip("ministack could not be installed") };
    let directory = tempfile::tempdir().expect("a directory");
    let served = served(directory.path());
    let (a, b) = (Machine::new(&stack, &served), Machine::new(&stack, &served));

    // A dies, B is told who had it, and takes it over.
    let mut drill =
        a.command(&DRILL).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it");
    b.restoring();
    drill.kill().expect("SIGKILL");
    drill.wait().expect("it ends");
    let held = run(&mut b.command(&["resume", "--pace", "300"]));
    assert_eq!(held.code, 16, "{}", held.stderr);
    assert!(held.stderr.contains("--take-over"), "{}", held.stderr);
    let resume = ["resume", "--take-over", "--yes", "--pace", "300"];
    let ended = run(&mut b.command(&resume));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for machine in [&a, &b] {
        let verified = run(&mut machine.command(&["journal", "verify"]));
        assert_eq!(verified.code, 0, "{}", verified.stderr);
    }

    // Both fight for a second run: its end is one end, and whoever lost was told.
    let mut drill =
        a.command(&DRILL).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it");
    b.restoring();
    drill.kill().expect("SIGKILL");
    drill.wait().expect("it ends");
    let mut codes = Vec::new();
    for _ in 0..3 {
        let fight = |machine: &Machine| {
            let mut command = machine.command(&resume);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it")
        };
        for child in [fight(&a), fight(&b)] {
            let ended = child.wait_with_output().expect("it ends");
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            let code = ended.status.code().unwrap_or(-1);
            assert!([0, 2, 16].contains(&code), "{code}: {said}");
            codes.push(code);
        }
    }
    assert!(codes.contains(&0), "{codes:?}");
    let list = "print(sum(page['KeyCount'] for page in s3.get_paginator('list_objects_v2').paginate(Bucket='team-journals', Prefix='dr/runs/')))";
    let count: u64 = stack.boto3(list).trim().parse().expect("a number");
    assert!(count > 40, "{count} objects");
    let mut exports = Vec::new();
    for machine in [&a, &b, &Machine::new(&stack, &served)] {
        let status = run(&mut machine.command(&["status"]));
        assert_eq!(status.code, 0, "{}", status.stderr);
        exports.push(run(&mut machine.command(&["journal", "export"])).stdout);
    }
    assert!(exports[0] == exports[1] && exports[1] == exports[2] && !exports[0].is_empty());
}
