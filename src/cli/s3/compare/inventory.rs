//! `drctl s3 compare --inventory`: manifests of S3 Inventory, of this machine or in buckets.
//!
//! **Invariant:** what is read of a bucket goes through a session that can do nothing but read objects.

use super::lines::Lines;
use super::report::Compared;
use super::{Asked, CompareArgs};
use crate::base::clock::{Clock, format_instant};
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::s3::session::Place;
use crate::cloud::bucket::{Bucket, BucketPlace};
use crate::cloud::inventory::{
    DataFile, Fetch, InventoryError, InventoryOptions, LocalFiles, Manifest, Opened,
    compare_inventories, open_local,
};
use crate::cloud::{CloudError, HttpSource};
use chrono::DateTime;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Seek as _;
use std::path::Path;

/// Compares two inventories.
///
/// # Errors
/// A manifest or a file of it cannot be read.
pub(super) fn run(
    place: &Place,
    args: &CompareArgs,
    asked: &Asked,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let clock = Clock::real();
    let began = clock.elapsed();
    let mut fetched = Fetched { place, clock: clock.clone(), buckets: BTreeMap::new() };
    let source = fetched.manifest(&args.source)?;
    let destination = fetched.manifest(&args.destination)?;
    let options = InventoryOptions {
        prefix: args.prefix.clone(),
        since: asked.options.since,
        pending_after: asked.options.pending_after,
    };
    let compared =
        compare_inventories(&source, &destination, &fetched, &options).map_err(failed)?;
    let mut lines = Lines::new(args.format, args.show, output == OutputForm::Json);
    let given = compared.sorter.each(|difference| lines.take(&difference));
    given.map_err(|error| failed(InventoryError::Temporary(error)))?;
    lines.end();
    let instant = |ms: i64| DateTime::from_timestamp_millis(ms).filter(|_| ms > 0);
    let [(one, one_ms), (other, other_ms)] = &compared.told;
    let known = [*one_ms, *other_ms].into_iter().filter_map(instant).min();
    let label = |ms: i64| {
        instant(ms).map_or_else(
            || "of no known instant".to_owned(),
            |at| format!("as of {}", format_instant(at)),
        )
    };
    let told = Compared {
        shown: (format!("inventory of {one}"), format!("inventory of {other}")),
        labels: (label(*one_ms), label(*other_ms)),
        // How far replication was behind is told as of the inventory, not of now.
        now: known.unwrap_or_else(|| clock.now()),
        took: clock.elapsed().saturating_sub(began),
        sample: None,
        notes: vec![format!("{} rows were read; inventories tell of no rules", compared.rows)],
        throttled: 0,
        max_recovery_point: asked.max_recovery_point,
        calls: fetched.calls(),
        walls: Vec::new(),
        server: "S3".to_owned(),
        totals: compared.totals,
    };
    told.show(args.format, &lines, output);
    Ok(told.exit())
}

fn failed(error: InventoryError) -> CommandError {
    let exit = match error {
        InventoryError::Temporary(_) => Exit::Journal,
        InventoryError::Manifest { .. }
        | InventoryError::Missing { .. }
        | InventoryError::File { .. }
        | InventoryError::Row { .. }
        | InventoryError::Form { .. } => Exit::Usage,
    };
    CommandError::new(exit, error.to_string())
}

/// Files of both inventories, with the buckets that some are in.
struct Fetched<'a> {
    place: &'a Place,
    clock: Clock,
    buckets: BTreeMap<String, Bucket>,
}

/// The bucket and the key of an address.
fn address(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("s3://")?.split_once('/')
}

impl Fetched<'_> {
    fn manifest(&mut self, text: &str) -> Result<Opened, CommandError> {
        let Some((bucket, key)) = address(text) else {
            if text.contains("://") {
                return Err(CommandError::usage(format!("`{text}` is no manifest"))
                    .help("write a path, or s3://bucket/…/manifest.json"));
            }
            return open_local(text).map_err(failed);
        };
        let opened = self.open(bucket).map_err(super::of_bucket)?;
        let missing = || {
            CommandError::usage(format!("{text} is not there"))
                .help("give the address of a manifest.json")
        };
        let found = opened.get(key).map_err(super::of_bucket)?.ok_or_else(missing)?;
        let checksum = Path::new(key).with_extension("checksum");
        let checksum = opened.get(&checksum.to_string_lossy()).map_err(super::of_bucket)?;
        let checksum = checksum.map(|found| String::from_utf8_lossy(&found.bytes).into_owned());
        let manifest = Manifest::read(text, &found.bytes, checksum.as_deref()).map_err(failed)?;
        Ok(Opened { manifest, place: text.to_owned() })
    }

    fn open(&mut self, name: &str) -> Result<Bucket, CloudError> {
        if let Some(bucket) = self.buckets.get(name) {
            return Ok(bucket.clone());
        }
        let (endpoint, profile) = match self.place {
            Place::AdHoc { endpoint, profile, .. } => (endpoint.clone(), profile.clone()),
            Place::Environment(_) => (None, None),
        };
        let (bucket, prefix, region) = (name.to_owned(), String::new(), None);
        let place = BucketPlace { bucket, prefix, region, endpoint, profile };
        let bucket = Bucket::open_to_read(place, self.clock.clone(), HttpSource::Network)?;
        self.buckets.insert(name.to_owned(), bucket.clone());
        Ok(bucket)
    }

    fn calls(&self) -> BTreeMap<String, u32> {
        let mut all = BTreeMap::new();
        for bucket in self.buckets.values() {
            for (operation, count) in bucket.calls().sent() {
                *all.entry(operation).or_default() += count;
            }
        }
        all
    }
}

impl Fetch for Fetched<'_> {
    fn open(&self, opened: &Opened, file: &DataFile) -> Result<(String, File), InventoryError> {
        let bucket = address(&opened.place).and_then(|(name, _)| self.buckets.get(name));
        let Some(bucket) = bucket else { return LocalFiles.open(opened, file) };
        let mut kept = tempfile::tempfile().map_err(InventoryError::Temporary)?;
        let copy = kept.try_clone().map_err(InventoryError::Temporary)?;
        let place = format!("s3://{}/{}", bucket.place().bucket, file.key);
        match bucket.download(&file.key, copy) {
            Ok(true) => {}
            Ok(false) => {
                let (place, file) = (opened.place.clone(), file.key.clone());
                return Err(InventoryError::Missing { place, file });
            }
            Err(error) => return Err(InventoryError::File { place, why: error.to_string() }),
        }
        kept.rewind().map_err(InventoryError::Temporary)?;
        let kept = file.checked(&place, kept)?;
        Ok((place, kept))
    }
}
