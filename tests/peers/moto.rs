//! The verbs of RDS that a failover needs, against moto, a server that we did not write, over TCP.
//!
//! **Invariant:** what moto does not do as AWS does is a test too: no step is called done for it.

use crate::served::python;
use crate::support::{Background, Ended, drctl, repository, run, skip};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// What moto does as AWS does. Side by side: one step waits while others do.
const DONE: &str = r#"
  - id: snapshot
    uses: rds.create_snapshot
    with: { instance: shop-orders }
  - id: copy
    needs: [snapshot]
    uses: rds.copy_snapshot
    region: us-west-2
    with: { source_region: us-east-1, snapshot: "${{ steps.snapshot.outputs.snapshot }}" }
  - id: larger
    uses: rds.modify_instance
    with: { instance: shop-larger, class: db.t3.large, backup_retention_days: 3 }
  - id: name
    uses: rds.rename_instance
    with: { instance: shop-renamed, to: shop-standby }
"#;

/// What moto accepts and never shows: a replica without its state of replication, a failover without
/// events.
const NEVER_DONE: [(&str, &str, &str); 2] = [
    (
        "replica",
        r#"
  - id: replica
    uses: rds.create_replica
    region: us-west-2
    timeout: 12s
    with: { source: "arn:aws:rds:us-east-1:123456789012:db:shop-orders", instance: shop-west }
"#,
        "replication `not told`",
    ),
    (
        "swap",
        r#"
  - id: swap
    uses: rds.force_failover
    timeout: 12s
    with: { instance: shop-orders }
"#,
        "no event of it yet",
    ),
];

/// Its lag is asked for before: moto's CloudWatch does not speak the protocol of today's SDKs.
const PROMOTION: &str = r#"
  - id: promote
    uses: rds.promote_replica
    region: us-west-2
    with: { instance: shop-west, fenced: nobody writes }
"#;

const CLIENTS: &str = "import boto3, sys
def client(region):
    return boto3.client('rds', endpoint_url=sys.argv[1], region_name=region,
        aws_access_key_id='test', aws_secret_access_key='test')
east, west = client('us-east-1'), client('us-west-2')
";

const BEGIN: &str = "for name in ('shop-orders', 'shop-larger', 'shop-renamed'):
    east.create_db_instance(DBInstanceIdentifier=name, Engine='postgres', EngineVersion='15.3',
        DBInstanceClass='db.t3.medium', AllocatedStorage=100, MultiAZ=True, BackupRetentionPeriod=7,
        MasterUsername='orders_admin', MasterUserPassword='planted-here')
";

const END: &str = "for found in east.describe_db_instances()['DBInstances']:
    print(found['DBInstanceIdentifier'], found['DBInstanceClass'], found['BackupRetentionPeriod'])
for found in west.describe_db_snapshots(SnapshotType='manual')['DBSnapshots']:
    print(found['DBInstanceIdentifier'], found['Status'])
";

/// A server of moto.
struct Moto {
    address: String,
    python: PathBuf,
    _process: Background,
}

#[expect(clippy::disallowed_methods, reason = "its peer is a process, which lives in real time")]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

impl Moto {
    fn start() -> Option<Self> {
        let python = python()?;
        let program = repository().join(".state/localstack/venv/bin/moto_server");
        if !program.exists() {
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto starts");
        let moto =
            Self { address: format!("127.0.0.1:{port}"), python, _process: Background(process) };
        for _ in 0..400 {
            if moto.answers() {
                return Some(moto);
            }
            pause();
        }
        panic!("moto never answered");
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(&self.address) else { return false };
        let asked = stream.write_all(b"GET /moto-api/ HTTP/1.0\r\n\r\n");
        asked.is_ok() && stream.read(&mut [0; 1]).is_ok_and(|count| count == 1)
    }

    /// Runs lines of Python with two clients of boto3; what they print.
    fn boto3(&self, lines: &str) -> String {
        let script = format!("{CLIENTS}{lines}");
        let endpoint = format!("http://{}", self.address);
        let ended = run(Command::new(&self.python).args(["-c", &script, &endpoint]));
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended.stdout
    }

    /// Runs a runbook of these steps in a project in `directory`.
    fn run(&self, directory: &Path, name: &str, steps: &str) -> Ended {
        let write = |name: &str, text: &str| {
            let path = directory.join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(path, text).expect("a file");
        };
        let estate = format!(
            "apiVersion: drctl/v1\nkind: Estate\nname: shop\nenvironments:\n  there: {{ type: endpoints, \
             account: '123456789012', region: us-east-1, allowed_regions: [us-west-2], \
             endpoints: {{ default: 'http://{}' }} }}\n",
            self.address
        );
        write("estates/shop.yaml", &estate);
        let head =
            format!("apiVersion: drctl/v1\nkind: Runbook\nname: {name}\ntitle: Databases\nsteps:");
        write(&format!("runbooks/{name}.yaml"), &format!("{head}{steps}"));
        let mut command = drctl(&directory.join("state"));
        command.args(["run", name, "--estate", "shop", "--env", "there", "--yes"]);
        command.args(["--form", "ungraceful"]);
        run(command
            .current_dir(directory)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test"))
    }
}

#[test]
fn snapshots_settings_and_names_change_in_moto_and_nothing_it_does_not_show_is_done() {
    let Some(moto) = Moto::start() else { return skip("moto could not be installed") };
    moto.boto3(BEGIN);
    let directory = tempfile::tempdir().expect("a directory");
    let place = directory.path();
    let ended = moto.run(place, "databases", DONE);
    let told = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, 0, "{told}");
    print!("{told}");
    let wanted = "shop-larger db.t3.large 3\nshop-orders db.t3.medium 7\nshop-standby db.t3.medium 7\n\
                  shop-orders available\n";
    let mut found: Vec<String> = moto.boto3(END).lines().map(str::to_owned).collect();
    found[..3].sort();
    assert_eq!(found.join("\n") + "\n", wanted);

    for (name, steps, says) in NEVER_DONE {
        let ended = moto.run(place, name, steps);
        assert_eq!(ended.code, 10, "{name}: {}\n{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(says), "{name}: {}", ended.stderr);
    }
    let refused = moto.run(place, "promote", PROMOTION);
    assert_ne!(refused.code, 0, "{}", refused.stdout);
    assert!(refused.stderr.contains("cloudwatch:GetMetricData"), "{}", refused.stderr);
    let replica = "print(west.describe_db_instances()['DBInstances'][0]['ReadReplicaSourceDBInstanceIdentifier'])";
    let follows = moto.boto3(replica);
    assert!(
        follows.contains("shop-orders"),
        "it was promoted, and nothing was known of its lag: {follows}"
    );
}
