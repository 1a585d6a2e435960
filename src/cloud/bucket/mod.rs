//! One bucket, for journals that a team shares: reads, and writes that carry a condition.
//!
//! Callers wait for their answers: a journal is written between two steps, not beside them. The requests
//! are made on a thread of their own, in real time, whatever clock the run has.
//!
//! **Invariant:** nothing leaves for another bucket or prefix, and nothing but the operations of
//! [`OPERATIONS`]; a write is sent once, so that its caller decides what a lost answer means.

mod calls;
mod only;

pub(crate) use calls::head;

use crate::base::clock::Clock;
use crate::cloud::clients::Clients;
use crate::cloud::credentials;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::guard::Guard;
use crate::cloud::guard::calls::CallLog;
use crate::cloud::options::{GuardPolicy, HttpSource};
use crate::cloud::session::network;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// What a shared journal needs beside the reads that anybody may make.
pub const OPERATIONS: [&str; 2] = ["s3:GetObject", "s3:PutObject"];

/// Where a bucket is asked for whose region nobody told: S3 answers with the right one.
const ANY_REGION: &str = "us-east-1";

/// Where journals are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPlace {
    /// The bucket.
    pub bucket: String,
    /// Prefix of all keys, without slashes at its ends; may be empty.
    pub prefix: String,
    /// The bucket's region, if it was said.
    pub region: Option<String>,
    /// A server at a fixed address instead of AWS.
    pub endpoint: Option<String>,
    /// The profile whose credentials are used.
    pub profile: Option<String>,
}

impl fmt::Display for BucketPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if !self.prefix.is_empty() {
            write!(f, "/{}", self.prefix)?;
        }
        Ok(())
    }
}

/// An opened bucket. Clones share everything.
#[derive(Clone)]
pub struct Bucket {
    inner: Arc<Inner>,
}

struct Inner {
    place: BucketPlace,
    region: String,
    clients: Clients,
    guard: Guard,
    clock: Clock,
    thread: Thread,
}

/// The thread that makes the requests.
struct Thread(Option<Runtime>);

impl Drop for Thread {
    fn drop(&mut self) {
        // Dropping it the usual way would wait, which is forbidden where other futures run.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Thread {
    /// Does `work` on the thread and waits for it.
    fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let (done, answer) = std::sync::mpsc::channel();
        let runtime = self.0.as_ref().expect("it is taken when it is dropped");
        runtime.spawn(async move {
            drop(done.send(work.await));
        });
        answer.recv().expect("the work does not panic, and its thread outlives it")
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({}, {})", self.inner.place, self.inner.region)
    }
}

/// An object that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketObject {
    /// All its bytes.
    pub bytes: Vec<u8>,
    /// Its ETag, as S3 writes it.
    pub tag: String,
}

/// How a conditional write ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It took effect; the new object's ETag.
    Done(String),
    /// Its condition does not hold.
    Refused,
}

/// Keys of a listing, and what stands for several of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Keys, relative to the place's prefix.
    pub keys: Vec<String>,
    /// Common prefixes, relative to the place's prefix.
    pub prefixes: Vec<String>,
}

impl Bucket {
    /// Opens a bucket: finds out its region and whether it may be used (S3 `HeadBucket`).
    ///
    /// # Errors
    /// There is none (`NoSuchBucket`), it may not be used, it is in another region than was said
    /// (`PermanentRedirect`), or nobody answers.
    pub fn open(place: BucketPlace, clock: Clock, http: HttpSource) -> Result<Self, CloudError> {
        Self::open_for(&OPERATIONS, place, clock, http)
    }

    /// The same for reads only: what would write is refused by the guard.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_to_read(
        place: BucketPlace,
        clock: Clock,
        http: HttpSource,
    ) -> Result<Self, CloudError> {
        Self::open_for(&OPERATIONS[..1], place, clock, http)
    }

    fn open_for(
        operations: &[&str],
        place: BucketPlace,
        clock: Clock,
        http: HttpSource,
    ) -> Result<Self, CloudError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("drctl-bucket")
            .enable_all()
            .build()
            .map_err(|error| failed(&place, format!("cannot start a thread: {error}")))?;
        let thread = Thread(Some(runtime));
        let guard = Guard::new(GuardPolicy::live(operations.iter().copied()), clock.clone());
        let http = match http {
            HttpSource::Injected(client) => client,
            HttpSource::Network => network(),
        };
        let asked = place.region.clone().unwrap_or_else(|| ANY_REGION.to_owned());
        let (sdk, endpoints) = {
            let (place, clock, guard) = (place.clone(), clock.clone(), guard.clone());
            let (http, asked) = (http.clone(), asked.clone());
            thread.run(async move {
                credentials::of_bucket(&place, &asked, &clock, (&guard, &http)).await
            })
        };
        let http = only::only(http, &place);
        let partition = format!("drctl-{place}");
        let clients = Clients::new(sdk, http, guard.clone(), clock.clone(), endpoints, partition);
        let found = {
            let (clients, place, asked) = (clients.clone(), place.clone(), asked.clone());
            thread.run(async move { calls::region(&clients, &place, &asked).await })?
        };
        let region = found.unwrap_or(asked);
        Ok(Self { inner: Arc::new(Inner { place, region, clients, guard, clock, thread }) })
    }

    /// The region that the bucket is in.
    pub fn region(&self) -> &str {
        &self.inner.region
    }

    /// Where it is.
    pub fn place(&self) -> &BucketPlace {
        &self.inner.place
    }

    /// Every call so far.
    pub fn calls(&self) -> CallLog {
        self.inner.guard.calls()
    }

    /// The object under `key` (S3 `GetObject`).
    ///
    /// # Errors
    /// It cannot be read; that there is none is no error.
    pub fn get(&self, key: &str) -> Result<Option<BucketObject>, CloudError> {
        let (inner, key) = (Arc::clone(&self.inner), key.to_owned());
        self.run(async move { calls::get(&inner, &key).await })
    }

    /// Writes the object under `key` into a file, block by block (S3 `GetObject`); `false` when there is
    /// none.
    ///
    /// # Errors
    /// It cannot be read, or the file has no room.
    pub fn download(&self, key: &str, file: std::fs::File) -> Result<bool, CloudError> {
        let (inner, key) = (Arc::clone(&self.inner), key.to_owned());
        self.run(async move { calls::download(&inner, &key, file).await })
    }

    /// The objects under `keys`, in their order, several at a time.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn get_all(&self, keys: &[String]) -> Result<Vec<Option<BucketObject>>, CloudError> {
        let (inner, keys) = (Arc::clone(&self.inner), keys.to_vec());
        self.run(async move { calls::get_all(inner, keys).await })
    }

    /// Writes an object (S3 `PutObject`): where none is (`If-None-Match: *`), or over the one whose ETag
    /// is `over` (`If-Match`).
    ///
    /// # Errors
    /// In doubt when it may have taken effect; otherwise it had none.
    pub fn put(&self, key: &str, bytes: &[u8], over: Option<&str>) -> Result<Written, CloudError> {
        let (inner, key, bytes) = (Arc::clone(&self.inner), key.to_owned(), bytes.to_vec());
        let over = over.map(str::to_owned);
        self.run(async move { calls::put(&inner, &key, &bytes, over.as_deref()).await })
    }

    /// All keys that begin with `prefix` and come after `after` (S3 `ListObjectsV2`, all pages);
    /// `directories` puts those together that share what follows up to a slash.
    ///
    /// # Errors
    /// They cannot be listed.
    pub fn list(&self, prefix: &str, after: &str, directories: bool) -> Result<Listed, CloudError> {
        let (inner, prefix, after) = (Arc::clone(&self.inner), prefix.to_owned(), after.to_owned());
        self.run(async move { calls::list(&inner, &prefix, &after, directories).await })
    }

    fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        self.inner.thread.run(work)
    }
}

fn failed(place: &BucketPlace, message: String) -> CloudError {
    CloudError {
        class: ErrorClass::Permanent,
        operation: "open".to_owned(),
        region: place.region.clone().unwrap_or_default(),
        code: None,
        message,
        request_id: None,
    }
}
