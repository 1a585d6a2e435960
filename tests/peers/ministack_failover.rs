//! What a failover hands over, against MiniStack, a server that we did not write, over TCP: records of
//! Route 53, the endpoint in a secret, messages of SNS, and what IAM denies.
//!
//! **Invariant:** what is there in the end is read back by boto3, so that no code of ours parses it.

use crate::ministack::MiniStack;
use crate::support::{Ended, drctl, run, skip};
use std::fs;
use std::path::Path;

/// Everything that a failover changes beside its database, one step after the other.
const HAND_OVER: &str = r#"
  - id: look
    uses: route53.check_records
    with: { zone: ZONE, name: db.shop.example, type: CNAME, values: [east.shop.example] }
  - id: switch
    needs: [look]
    uses: route53.change_records
    with: { zone: ZONE, name: db.shop.example, type: CNAME, from: [east.shop.example], to: [west.shop.example] }
  - id: sync
    needs: [switch]
    uses: route53.wait_in_sync
    with: { change_id: "${{ steps.switch.outputs.change_id }}" }
  - id: shift
    needs: [sync]
    uses: route53.shift_weights
    with: { zone: ZONE, name: api.shop.example, type: A, weights: { east: 0, west: 100 } }
  - id: fresh
    needs: [shift]
    uses: route53.change_records
    with: { zone: ZONE, name: new.shop.example, type: A, to: [192.0.2.7], ttl: 30 }
  - id: gone
    needs: [fresh]
    uses: route53.change_records
    with: { zone: ZONE, name: old.shop.example, type: TXT, from: ['"old"'], to: [] }
  - id: secret
    needs: [gone]
    uses: secrets.switch_endpoint
    with: { secret: shop/orders, host: west.shop.example, port: 5433 }
  - id: tell
    needs: [secret]
    uses: notify.sns
    with: { topic: "arn:aws:sns:us-east-1:000000000000:alerts", message: switched }
"#;

/// The zone says `east`, and this was planned when it said something else.
const MOVED: &str = r#"
  - id: switch
    uses: route53.change_records
    with: { zone: ZONE, name: db.shop.example, type: CNAME, from: [elsewhere.shop.example], to: [west.shop.example] }
"#;

const RECORD: &str = r#"
  - id: switch
    uses: route53.change_records
    with: { zone: ZONE, name: db.shop.example, type: CNAME, from: [east.shop.example], to: [west.shop.example] }
"#;

const SECRET: &str = r#"
  - id: secret
    uses: secrets.switch_endpoint
    with: { secret: shop/orders, host: west.shop.example }
"#;

/// Clients, for the lines of Python that follow.
const CLIENTS: &str = "import json
def client(service):
    return boto3.client(service, endpoint_url=s3.meta.endpoint_url, region_name='us-east-1',
        aws_access_key_id='test', aws_secret_access_key='test')
r53, secrets, sns, iam, sts = map(client, ('route53', 'secretsmanager', 'sns', 'iam', 'sts'))
";

/// Prints the id of the zone.
const BEGIN: &str =
    "zone = r53.create_hosted_zone(Name='shop.example', CallerReference='one')['HostedZone']['Id']
def record(name, kind, value, **more):
    what = {'Name': name, 'Type': kind, 'TTL': 60, 'ResourceRecords': [{'Value': value}], **more}
    return {'Action': 'CREATE', 'ResourceRecordSet': what}
r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={'Changes': [
    record('db.shop.example', 'CNAME', 'east.shop.example'),
    record('old.shop.example', 'TXT', '\"old\"'),
    record('api.shop.example', 'A', '192.0.2.1', SetIdentifier='east', Weight=100),
    record('api.shop.example', 'A', '192.0.2.2', SetIdentifier='west', Weight=0)]})
secrets.create_secret(Name='shop/orders', SecretString=json.dumps(
    {'host': 'east.shop.example', 'port': 5432, 'username': 'app', 'password': 'planted-here'}))
sns.create_topic(Name='alerts')
print(zone.split('/')[-1])
";

const END: &str = "zone = r53.list_hosted_zones()['HostedZones'][0]['Id']
for found in r53.list_resource_record_sets(HostedZoneId=zone)['ResourceRecordSets']:
    if found['Type'] not in ('NS', 'SOA'):
        values = [value['Value'] for value in found['ResourceRecords']]
        print(found['Name'], found['Type'], found.get('Weight', '-'), found['TTL'], *values)
for stage in ('AWSCURRENT', 'AWSPREVIOUS'):
    try:
        fields = json.loads(secrets.get_secret_value(SecretId='shop/orders', VersionStage=stage)['SecretString'])
        print(stage, fields['host'], fields['port'], fields['password'] == 'planted-here')
    except secrets.exceptions.ResourceNotFoundException:
        print(stage, 'none')
";

/// As the zone and the secret are after [`BEGIN`].
const UNTOUCHED: &str = "api.shop.example. A 100 60 192.0.2.1
api.shop.example. A 0 60 192.0.2.2
db.shop.example. CNAME - 60 east.shop.example
old.shop.example. TXT - 60 \"old\"
AWSCURRENT east.shop.example 5432 True
AWSPREVIOUS none
";

const HANDED_OVER: &str = "api.shop.example. A 0 60 192.0.2.1
api.shop.example. A 100 60 192.0.2.2
db.shop.example. CNAME - 60 west.shop.example
new.shop.example. A - 30 192.0.2.7
AWSCURRENT west.shop.example 5433 True
AWSPREVIOUS east.shop.example 5432 True
";

/// A role that may look at everything here and change nothing; prints its session's credentials.
const LOOKER: &str = "trust = {'Version': '2012-10-17', 'Statement': [
    {'Effect': 'Allow', 'Principal': {'AWS': '*'}, 'Action': 'sts:AssumeRole'}]}
role = iam.create_role(RoleName='looker', AssumeRolePolicyDocument=json.dumps(trust))['Role']['Arn']
reads = ['route53:List*', 'route53:Get*', 'secretsmanager:Get*', 'secretsmanager:List*', 'sts:*']
iam.put_role_policy(RoleName='looker', PolicyName='reads', PolicyDocument=json.dumps(
    {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': reads, 'Resource': '*'}]}))
keys = sts.assume_role(RoleArn=role, RoleSessionName='case')['Credentials']
print(keys['AccessKeyId'], keys['SecretAccessKey'], keys['SessionToken'])
";

struct Project {
    directory: tempfile::TempDir,
    zone: String,
}

impl Project {
    fn new(stack: &MiniStack) -> Self {
        let zone = stack.boto3(&format!("{CLIENTS}{BEGIN}")).trim().to_owned();
        let directory = tempfile::tempdir().expect("a directory");
        let estate = format!(
            "apiVersion: drctl/v1\nkind: Estate\nname: shop\nenvironments:\n  there: {{ type: endpoints, \
             account: '000000000000', region: us-east-1, endpoints: {{ default: 'http://{}' }} }}\n",
            stack.address
        );
        write(directory.path(), "estates/shop.yaml", &estate);
        Self { directory, zone }
    }

    /// Runs a runbook of these steps as whoever has these credentials.
    fn run(&self, name: &str, steps: &str, keys: &[&str]) -> Ended {
        let steps = steps.replace("ZONE", &self.zone);
        let head =
            format!("apiVersion: drctl/v1\nkind: Runbook\nname: {name}\ntitle: Hand-over\nsteps:");
        let place = self.directory.path();
        write(place, &format!("runbooks/{name}.yaml"), &format!("{head}{steps}"));
        let mut command = drctl(&place.join("state"));
        command.args(["run", name, "--estate", "shop", "--env", "there", "--yes"]);
        let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
        command.env_remove("AWS_SESSION_TOKEN").envs(names.iter().zip(keys));
        run(command.current_dir(place))
    }

    /// What the files of all runs say.
    fn state(&self) -> String {
        let args = ["-r", "-h", "", "state"];
        run(std::process::Command::new("grep").args(args).current_dir(self.directory.path())).stdout
    }
}

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    fs::write(path, text).expect("a file");
}

fn end(stack: &MiniStack) -> String {
    stack.boto3(&format!("{CLIENTS}{END}"))
}

#[test]
fn a_hand_over_in_ministack_changes_records_secret_and_nothing_else() {
    let Some(stack) = MiniStack::start() else { return skip("ministack could not be installed") };
    let project = Project::new(&stack);
    assert_eq!(end(&stack), UNTOUCHED);

    let moved = project.run("moved", MOVED, &["test", "test"]);
    assert_eq!(moved.code, 10, "{}\n{}", moved.stdout, moved.stderr);
    assert!(moved.stderr.contains("the zone moved"), "{}", moved.stderr);
    assert_eq!(end(&stack), UNTOUCHED, "a zone that moved was changed");

    let ended = project.run("over", HAND_OVER, &["test", "test"]);
    let told = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, 0, "{told}");
    assert!(told.contains("run succeeded") && told.contains("prediction: 13 of 13 held"), "{told}");
    print!("{told}");
    assert_eq!(end(&stack), HANDED_OVER);
    let state = project.state();
    assert!(state.contains("west.shop.example") && !state.contains("planted-here"));

    // Once more: all is done already, nothing is changed again but the message.
    let again = project.run("again", RECORD, &["test", "test"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stderr.contains("found done already"), "{}", again.stderr);
    assert_eq!(end(&stack), HANDED_OVER);
}

#[test]
fn what_ministacks_iam_denies_stops_the_run_and_changes_nothing() {
    let Some(stack) = MiniStack::that_denies() else {
        return skip("ministack could not be installed");
    };
    let project = Project::new(&stack);
    let keys = stack.boto3(&format!("{CLIENTS}{LOOKER}"));
    let keys: Vec<&str> = keys.split_whitespace().collect();
    assert_eq!(keys.len(), 3);
    // The answer to a change of records is 403 in a form that is not Route 53's: only its status is read.
    for (name, steps, says) in [
        ("record", RECORD, "HTTP 403"),
        ("secret", SECRET, "is not authorized to perform: secretsmanager:PutSecretValue"),
    ] {
        let denied = project.run(name, steps, &keys);
        let told = format!("{}{}", denied.stdout, denied.stderr);
        assert_ne!(denied.code, 0, "{told}");
        assert!(told.contains("stopped: credentials") && told.contains(says), "{told}");
        assert!(told.contains("drctl resume"), "{told}");
        assert_eq!(end(&stack), UNTOUCHED, "{name}");
    }
    for secret in &keys[1..] {
        assert!(!project.state().contains(secret), "a credential is in the state");
    }
    // Whoever may, may: the same steps as root.
    let allowed = project.run("allowed", RECORD, &["test", "test"]);
    assert_eq!(allowed.code, 0, "{}\n{}", allowed.stdout, allowed.stderr);
}
