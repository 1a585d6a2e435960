//! The calls to S3 that a shared journal makes.
//!
//! **Invariant:** what S3 asks to be sent later (`SlowDown`) is sent later; nothing else is repeated but
//! reads.

use crate::cloud::bucket::{BucketObject, BucketPlace, Inner, Listed, Written};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::{ClientUse, Clients};
use crate::cloud::error::{CloudError, ErrorClass};
use aws_sdk_s3::primitives::ByteStream;
use futures_util::StreamExt as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// Objects that are fetched at a time: a journal has hundreds, and each takes some 20 ms.
const AT_A_TIME: usize = 16;

/// How often a write is sent that S3 asks to send later; with the pauses below that is six seconds.
const PATIENCE: u32 = 6;

/// The first pause; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(200);

/// Most bytes of a command, and of any other object: far more than drctl ever wrote.
const LONGEST_COMMAND: usize = 64 * 1024;
const LONGEST: usize = 256 * 1024 * 1024;

/// The header in which S3 says where a bucket is, also when it refuses.
const REGION_HEADER: &str = "x-amz-bucket-region";

const HEAD_BUCKET: &str = "s3:HeadBucket";
const GET: &str = "s3:GetObject";
const PUT: &str = "s3:PutObject";
const LIST: &str = "s3:ListObjectsV2";

/// The region of the journals' bucket; `None` when the server does not tell.
pub(super) async fn region(
    clients: &Clients,
    place: &BucketPlace,
    asked: &str,
) -> Result<Option<String>, CloudError> {
    let found = head(clients, &place.bucket, asked).await?;
    said(place, asked, found)
}

/// A bucket's region, as `HeadBucket` in the region `asked` tells it; `None` when the server does not.
/// `NoSuchBucket` and `AccessDenied` are errors.
pub(crate) async fn head(
    clients: &Clients,
    bucket: &str,
    asked: &str,
) -> Result<Option<String>, CloudError> {
    let call = Call { operation: HEAD_BUCKET, region: asked, intent: Intent::Read };
    let client = clients.s3(asked, ClientUse::Reads);
    let answer = client.head_bucket().bucket(bucket).send().await;
    let error = match answer {
        Ok(found) => return Ok(found.bucket_region().map(str::to_owned)),
        Err(error) => error,
    };
    let raw = error.raw_response();
    let region = raw.and_then(|raw| raw.headers().get(REGION_HEADER)).map(str::to_owned);
    let status = raw.map(|raw| raw.status().as_u16());
    let mut known = sdk_error(call, &error);
    match (status, region) {
        (Some(301 | 400), Some(region)) => Ok(Some(region)),
        // The answer to a HEAD has no body to name the error in.
        (Some(404), _) => {
            known.class = ErrorClass::Permanent;
            known.code = Some("NoSuchBucket".to_owned());
            known.message = format!("there is no bucket `{bucket}`");
            Err(known)
        }
        (Some(403), _) => {
            known.class = ErrorClass::Credentials;
            known.code = Some("AccessDenied".to_owned());
            known.message = format!("these credentials may not use bucket `{bucket}`");
            Err(known)
        }
        _ => Err(known),
    }
}

/// Compares where the bucket is with where it was said to be.
fn said(
    place: &BucketPlace,
    asked: &str,
    found: Option<String>,
) -> Result<Option<String>, CloudError> {
    match (&place.region, &found) {
        (Some(said), Some(found)) if said != found => Err(CloudError {
            class: ErrorClass::Permanent,
            operation: HEAD_BUCKET.to_owned(),
            region: asked.to_owned(),
            code: Some("PermanentRedirect".to_owned()),
            message: format!("bucket `{}` is in {found}, not in {said}", place.bucket),
            request_id: None,
        }),
        _ => Ok(found),
    }
}

impl Inner {
    fn key(&self, key: &str) -> String {
        let prefix = &self.place.prefix;
        if prefix.is_empty() { key.to_owned() } else { format!("{prefix}/{key}") }
    }

    /// A key as callers know it.
    fn relative(&self, key: &str) -> Option<String> {
        if self.place.prefix.is_empty() {
            return Some(key.to_owned());
        }
        key.strip_prefix(&self.place.prefix)?.strip_prefix('/').map(str::to_owned)
    }

    fn call(&self, operation: &'static str, intent: Intent) -> Call<'_> {
        Call { operation, region: &self.region, intent }
    }
}

/// Most bytes of an object that are taken into memory. Whoever may post commands writes into the inbox.
fn longest(key: &str) -> usize {
    if key.contains("/inbox/") { LONGEST_COMMAND } else { LONGEST }
}

pub(super) async fn get(inner: &Inner, key: &str) -> Result<Option<BucketObject>, CloudError> {
    let client = inner.clients.s3(&inner.region, ClientUse::Reads);
    let answer = client.get_object().bucket(&inner.place.bucket).key(inner.key(key)).send().await;
    let found = match answer {
        Ok(found) => found,
        Err(error) => {
            let error = sdk_error(inner.call(GET, Intent::Read), &error);
            return if error.is("NoSuchKey") { Ok(None) } else { Err(error) };
        }
    };
    let tag = found.e_tag().unwrap_or_default().to_owned();
    let failed = |class, code: Option<&str>, message| CloudError {
        class,
        operation: GET.to_owned(),
        region: inner.region.clone(),
        code: code.map(str::to_owned),
        message,
        request_id: None,
    };
    let most = longest(key);
    let (mut body, mut bytes) = (found.body, Vec::<u8>::new());
    loop {
        let chunk = body.try_next().await.map_err(|error| {
            let message = format!("the body of {key} broke off: {error}");
            failed(ErrorClass::Temporary, None, message)
        })?;
        let Some(chunk) = chunk else { break };
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            let message = format!("{key} has more than {most} bytes: drctl did not write it");
            return Err(failed(ErrorClass::Permanent, Some("EntityTooLarge"), message));
        }
    }
    Ok(Some(BucketObject { bytes, tag }))
}

pub(super) async fn download(
    inner: &Inner,
    key: &str,
    mut file: std::fs::File,
) -> Result<bool, CloudError> {
    let client = inner.clients.s3(&inner.region, ClientUse::Reads);
    let answer = client.get_object().bucket(&inner.place.bucket).key(inner.key(key)).send().await;
    let mut body = match answer {
        Ok(found) => found.body,
        Err(error) => {
            let error = sdk_error(inner.call(GET, Intent::Read), &error);
            return if error.is("NoSuchKey") { Ok(false) } else { Err(error) };
        }
    };
    let failed = |class, message| CloudError {
        class,
        operation: GET.to_owned(),
        region: inner.region.clone(),
        code: None,
        message,
        request_id: None,
    };
    loop {
        let block = body.try_next().await.map_err(|error| {
            failed(ErrorClass::Temporary, format!("the body of {key} broke off: {error}"))
        })?;
        let Some(block) = block else { return Ok(true) };
        file.write_all(&block).map_err(|error| {
            failed(ErrorClass::Permanent, format!("{key} cannot be kept on this machine: {error}"))
        })?;
    }
}

pub(super) async fn get_all(
    inner: Arc<Inner>,
    keys: Vec<String>,
) -> Result<Vec<Option<BucketObject>>, CloudError> {
    let count = keys.len();
    let one = |key: String| {
        let inner = Arc::clone(&inner);
        async move { get(&inner, &key).await }
    };
    let mut answers = futures_util::stream::iter(keys).map(one).buffered(AT_A_TIME);
    let mut found = Vec::with_capacity(count);
    while let Some(answer) = answers.next().await {
        found.push(answer?);
    }
    Ok(found)
}

pub(super) async fn put(
    inner: &Inner,
    key: &str,
    bytes: &[u8],
    over: Option<&str>,
) -> Result<Written, CloudError> {
    let mut pause = PAUSE;
    for left in (0..PATIENCE).rev() {
        let client = inner.clients.s3(&inner.region, ClientUse::Writes);
        let put = client.put_object().bucket(&inner.place.bucket).key(inner.key(key));
        let put = put.content_type("application/x-ndjson").body(ByteStream::from(bytes.to_vec()));
        let put = match over {
            Some(tag) => put.if_match(tag),
            None => put.if_none_match("*"),
        };
        let error = match put.send().await {
            Ok(done) => return Ok(Written::Done(done.e_tag().unwrap_or_default().to_owned())),
            Err(error) => sdk_error(inner.call(PUT, Intent::Write), &error),
        };
        // Where the object to be replaced is gone, the condition does not hold either.
        if error.is("PreconditionFailed") || (over.is_some() && error.is("NoSuchKey")) {
            return Ok(Written::Refused);
        }
        if error.is("ConditionalRequestConflict") {
            return Err(CloudError { class: ErrorClass::InDoubt, ..error });
        }
        if error.class != ErrorClass::Temporary || left == 0 {
            return Err(error);
        }
        inner.clock.sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
        pause *= 2;
    }
    unreachable!("the last try returns")
}

pub(super) async fn list(
    inner: &Inner,
    prefix: &str,
    after: &str,
    directories: bool,
) -> Result<Listed, CloudError> {
    let client = inner.clients.s3(&inner.region, ClientUse::Reads);
    let mut listed = Listed::default();
    let mut token = None;
    loop {
        let list = client.list_objects_v2().bucket(&inner.place.bucket).prefix(inner.key(prefix));
        let after = (!after.is_empty()).then(|| inner.key(after));
        let list = list.set_start_after(after).set_continuation_token(token);
        let list = list.set_delimiter(directories.then(|| "/".to_owned()));
        let answer = list.send().await;
        let found = answer.map_err(|error| sdk_error(inner.call(LIST, Intent::Read), &error))?;
        let keys = found.contents().iter().filter_map(|object| object.key());
        listed.keys.extend(keys.filter_map(|key| inner.relative(key)));
        let prefixes = found.common_prefixes().iter().filter_map(|common| common.prefix());
        listed.prefixes.extend(prefixes.filter_map(|prefix| inner.relative(prefix)));
        token = found.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            return Ok(listed);
        }
    }
}
