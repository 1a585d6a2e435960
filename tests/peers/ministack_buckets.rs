//! Replication in the S3 of MiniStack, a server that we did not write and whose copies are real: their
//! version ids are others than those of the originals.
//!
//! **Invariant:** buckets are made and read back by boto3, so that no code of ours parses its answers.

use crate::ministack::MiniStack;
use crate::support::{Ended, drctl, run, skip};
use serde_json::Value as Json;
use std::fs;
use std::path::Path;

const BUCKETS: &str = "
for name in ['shop-documents', 'shop-copies']:
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={'Status': 'Enabled'})
s3.put_bucket_replication(Bucket='shop-documents', ReplicationConfiguration={
    'Role': 'arn:aws:iam::000000000000:role/copies',
    'Rules': [{'ID': 'all', 'Priority': 1, 'Status': 'Enabled', 'Filter': {'Prefix': ''},
               'DeleteMarkerReplication': {'Status': 'Enabled'},
               'Destination': {'Bucket': 'arn:aws:s3:::shop-copies'}}]})";

fn estate(address: &str) -> String {
    format!(
        r#"apiVersion: drctl/v1
kind: Estate
name: shop
buckets:
  documents: {{ name: shop-documents, region: eu-west-1, replication: [{{ id: all, to: copies }}] }}
  copies: {{ name: shop-copies, region: eu-west-1 }}
environments:
  there: {{ type: endpoints, account: "000000000000", region: eu-west-1, endpoints: {{ default: 'http://{address}' }} }}
"#
    )
}

fn in_project(directory: &Path, line: &str) -> Ended {
    let mut command = drctl(&directory.join("state"));
    command.current_dir(directory).env("AWS_ACCESS_KEY_ID", "test");
    command.env("AWS_SECRET_ACCESS_KEY", "test");
    run(command.args(line.split_whitespace()))
}

fn ids(ended: &Ended) -> Vec<String> {
    let found: Json = serde_json::from_str(&ended.stdout).expect("JSON");
    let findings = found["findings"].as_array().expect("a list");
    findings.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn replication_is_judged_and_measured() {
    let Some(stack) = MiniStack::start() else { return skip("ministack could not be installed") };
    stack.boto3(BUCKETS);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("estates/shop.yaml");
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    fs::write(&path, estate(&stack.address)).expect("a file");

    let line = format!(
        "s3 check-config s3://shop-documents s3://shop-copies --endpoint-url http://{} --region \
         eu-west-1 --output json --max-severity error",
        stack.address
    );
    let well = in_project(directory.path(), &line);
    assert_eq!(well.code, 0, "{}{}", well.stdout, well.stderr);
    let found = ids(&well);
    for id in ["S3-010", "S3-011", "S3-013", "S3-025", "S3-030", "S3-032"] {
        assert!(!found.iter().any(|one| one == id), "{id}: {}", well.stdout);
    }
    assert!(found.iter().any(|one| one == "S3-035"), "one region: {}", well.stdout);

    let canary =
        "s3 canary documents copies --env there --estate shop --samples 3 --yes --output json";
    let measured = in_project(directory.path(), canary);
    assert_eq!(measured.code, 0, "{}{}", measured.stdout, measured.stderr);
    let report: Json = serde_json::from_str(&measured.stdout).expect("JSON");
    assert_eq!(report["copies"][0]["samples"], 3, "{}", report["copies"]);
    let left = stack.boto3(
        "for name in ['shop-documents', 'shop-copies']:\n    \
         found = s3.list_object_versions(Bucket=name)\n    \
         print(len(found.get('Versions', [])) + len(found.get('DeleteMarkers', [])))",
    );
    assert_eq!(left.split_whitespace().collect::<Vec<_>>(), ["0", "0"]);

    stack.boto3(
        "s3.put_bucket_versioning(Bucket='shop-copies', VersioningConfiguration={'Status': 'Suspended'})",
    );
    let bad = in_project(directory.path(), &line);
    assert!(ids(&bad).iter().any(|one| one == "S3-033"), "{}", bad.stdout);
    let refused = in_project(directory.path(), canary);
    assert_eq!(refused.code, 10, "{}{}", refused.stdout, refused.stderr);
}
