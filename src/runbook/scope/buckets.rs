//! The part `estate.buckets` of expressions.
//!
//! **Invariant:** value and type have the same fields.

use super::{record, record_type};
use crate::base::value::{Type, Value};
use crate::estate::{Bucket, Environment, Estate};

/// The estate's buckets as they are in `environment`, by their names in the estate.
pub(super) fn buckets(estate: &Estate, environment: &Environment) -> Value {
    let found = estate.buckets.keys().filter_map(|key| {
        let bucket = estate.bucket_in(key, environment)?;
        Some((key.clone(), bucket_value(&bucket, estate, environment)))
    });
    Value::Map(found.collect())
}

fn bucket_value(bucket: &Bucket, estate: &Estate, environment: &Environment) -> Value {
    let name_of = |key: &String| Some(estate.bucket_in(key, environment)?.name);
    let mut destinations: Vec<String> =
        bucket.replication.iter().filter_map(|rule| name_of(&rule.to)).collect();
    destinations.sort();
    destinations.dedup();
    record([
        ("name", Value::text(&bucket.name)),
        ("region", Value::text(bucket.region.as_ref().unwrap_or(&environment.region))),
        ("arn", Value::text(bucket.arn())),
        ("versioning", Value::text(bucket.versioning.word())),
        ("encryption", Value::text(&bucket.encryption)),
        ("kms_key", Value::optional(bucket.kms_key.clone())),
        ("public_access_blocked", Value::Bool(bucket.public_access_blocked)),
        ("object_lock", Value::Bool(bucket.object_lock.is_some())),
        ("destinations", destinations.into()),
    ])
}

/// The type of [`buckets`].
pub(super) fn buckets_type() -> Type {
    let text = || Type::String;
    Type::Map(Box::new(record_type([
        ("name", text()),
        ("region", text()),
        ("arn", text()),
        ("versioning", text()),
        ("encryption", text()),
        ("kms_key", text().or_null()),
        ("public_access_blocked", Type::Bool),
        ("object_lock", Type::Bool),
        ("destinations", Type::texts()),
    ])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::load;

    #[test]
    fn a_bucket_is_of_its_type_and_names_its_destinations() {
        let estate = load(
            "x.yaml",
            "apiVersion: drctl/v1\nkind: Estate\nname: x\nbuckets:\n  documents: { name: shop-documents, \
             encryption: aws:kms, kms_key: alias/x, replication: [{ id: a, to: west }, { id: b, to: west }] }\n  \
             west: { name: shop-west, region: us-west-2 }\nenvironments:\n  sim: { type: simulated, account: \
             \"123456789012\", region: us-east-1, buckets: { west: { name: other-west } } }\n",
        );
        let estate = estate.unwrap_or_else(|problems| panic!("{problems}"));
        let value = buckets(&estate, &estate.environments["sim"]);
        let value = value.coerce(&buckets_type()).expect("of its type").to_json();
        let documents = &value["documents"];
        assert_eq!(documents["arn"], "arn:aws:s3:::shop-documents");
        assert_eq!(
            (&documents["region"], &documents["versioning"]),
            (&"us-east-1".into(), &"enabled".into())
        );
        assert_eq!(documents["destinations"], serde_json::json!(["other-west"]));
        assert_eq!(
            (&value["west"]["region"], &value["west"]["kms_key"]),
            (&"us-west-2".into(), &serde_json::Value::Null)
        );
    }
}
