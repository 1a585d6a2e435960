//! Pages of one prefix of one bucket, each by a request of its own.
//!
//! **Invariant:** a page is asked for until it is there or S3 says why it never will be; whoever is
//! throttled slows down all requests to the bucket.

use super::pace::{Pace, Turn};
use super::page::ObjectPage;
use super::parse;
use super::versions::VersionPage;
use super::xml::{NOT_IN_ORDER, Unreadable, url_encoded as encoded};
use crate::base::clock::Clock;
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::own::{OwnClient, Service};
use crate::cloud::session::Shared;
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

const S3: Service = Service {
    name: "S3",
    host: "s3",
    signing: || {
        // Keys are signed as they are: S3 alone encodes a path once and resolves no dots in it.
        let mut signing_options = SigningOptions::default();
        signing_options.double_uri_encode = false;
        signing_options.content_sha256_header = true;
        signing_options.normalize_uri_path = false;
        SigV4OperationSigningConfig { signing_options, ..Default::default() }
    },
};

const OBJECTS: &str = "s3:ListObjectsV2";
const VERSIONS: &str = "s3:ListObjectVersions";

/// How often a page is asked for that a server or the network failed to give.
const FAILURES: u32 = 6;
/// How often S3 may ask for patience for one page: with pauses of up to 20 s, a quarter of an hour.
const PATIENCE: u32 = 60;
/// The first pause after a failure; each is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// Most keys of a page.
pub const PAGE: u16 = 1_000;

/// Where a list begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPlace {
    /// The bucket's region.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// What all keys begin with; keys are relative to it.
    pub prefix: String,
}

/// Lists one prefix. Clones share pace and connections.
#[derive(Clone)]
pub struct Lister {
    place: Arc<ListPlace>,
    pace: Pace,
    clock: Clock,
    objects: Operation<Ask, ObjectPage, ListError>,
    versions: Operation<VersionsAsk, VersionPage, ListError>,
}

impl fmt::Debug for Lister {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lister(s3://{}/{})", self.place.bucket, self.place.prefix)
    }
}

/// A page of objects: the whole key that it begins after, or what the server gave to go on with.
#[derive(Debug)]
struct Ask {
    after: String,
    token: Option<String>,
    most: u16,
}

#[derive(Debug)]
struct VersionsAsk {
    after: (String, String),
    most: u16,
}

impl Lister {
    pub(crate) fn new(shared: &Shared, place: ListPlace, pace: Pace) -> Self {
        let own = shared.clients.lists(&place.region);
        let (endpoint, path) = address(&own, &place.bucket);
        let place = Arc::new(place);
        let (asked, path) = (Arc::clone(&place), Arc::<str>::from(path));
        let prefix = asked.prefix.clone();
        let objects = own
            .operation::<ListError>(&S3, "ListObjectsV2", &endpoint)
            .serializer({
                let (place, path) = (Arc::clone(&asked), Arc::clone(&path));
                move |ask: Ask| get(&objects_uri(&path, &place, &ask))
            })
            .deserializer(move |answer| page(answer, |bytes| parse::objects(bytes, &prefix)))
            .build();
        let prefix = asked.prefix.clone();
        let versions = own
            .operation::<ListError>(&S3, "ListObjectVersions", &endpoint)
            .serializer(move |ask: VersionsAsk| get(&versions_uri(&path, &asked, &ask)))
            .deserializer(move |answer| page(answer, |bytes| parse::versions(bytes, &prefix)))
            .build();
        Self { place, pace, clock: shared.clock.clone(), objects, versions }
    }

    /// Where it lists.
    pub fn place(&self) -> &ListPlace {
        &self.place
    }

    /// How fast it may.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// The objects after `after`, which is relative to the prefix and may be empty (S3 `ListObjectsV2`).
    ///
    /// # Errors
    /// The bucket cannot be listed, or its list is not in order.
    pub async fn objects(&self, after: &str, most: u16) -> Result<ObjectPage, CloudError> {
        let mut token = None;
        loop {
            let ask = || Ask { after: self.whole(after), token: token.clone(), most };
            let mut tries = Tries::default();
            let mut page = loop {
                let turn = self.pace.turn().await;
                match self.objects.invoke(ask()).await {
                    Ok(page) => {
                        if page.len() == usize::from(PAGE) {
                            turn.answered_in_full();
                        } else {
                            turn.answered();
                        }
                        break page;
                    }
                    Err(error) => {
                        self.again(turn, &mut tries, sdk_error(self.call(OBJECTS), &error)).await?;
                    }
                }
            };
            let first = (!page.is_empty()).then(|| page.key(0));
            if !after.is_empty() && first.is_some_and(|first| first <= after) {
                return Err(self.out_of_order(OBJECTS));
            }
            if !page.is_empty() || !page.more {
                return Ok(page);
            }
            // A page without keys that says more follow: only the server knows where.
            let next = page.token.take().filter(|next| Some(next) != token.as_ref());
            token = Some(next.ok_or_else(|| self.out_of_order(OBJECTS))?);
        }
    }

    /// The versions after `after`: key (relative to the prefix) and version id, both empty at the
    /// beginning (S3 `ListObjectVersions`). Gives where the next page begins, if there is one.
    ///
    /// # Errors
    /// The bucket cannot be listed, or its list is not in order.
    pub async fn versions(
        &self,
        after: &(String, String),
        most: u16,
    ) -> Result<(VersionPage, Option<(String, String)>), CloudError> {
        // A key may be the prefix itself: it is named by its version.
        let whole = if after.1.is_empty() { self.whole(&after.0) } else { self.named(&after.0) };
        let (page, next) = self.versions_after((&whole, &after.1), most).await?;
        let next = match next {
            None => None,
            Some((key, version)) => {
                let key = key.strip_prefix(&self.place.prefix).map(str::to_owned);
                let next = key.map(|key| (key, version)).filter(|next| next != after);
                Some(next.ok_or_else(|| self.out_of_order(VERSIONS))?)
            }
        };
        Ok((page, next))
    }

    /// The same after a key that is named whole, or after one of its versions.
    ///
    /// # Errors
    /// As with [`Self::versions`].
    pub async fn versions_after(
        &self,
        (key, version): (&str, &str),
        most: u16,
    ) -> Result<(VersionPage, Option<(String, String)>), CloudError> {
        let ask = || VersionsAsk { after: (key.to_owned(), version.to_owned()), most };
        let mut tries = Tries::default();
        let page = loop {
            let turn = self.pace.turn().await;
            match self.versions.invoke(ask()).await {
                Ok(page) => {
                    turn.answered();
                    break page;
                }
                Err(error) => {
                    self.again(turn, &mut tries, sdk_error(self.call(VERSIONS), &error)).await?;
                }
            }
        };
        if !page.more {
            return Ok((page, None));
        }
        let next = page.next.clone();
        if next.0.is_empty() || (next.0.as_str(), next.1.as_str()) == (key, version) {
            return Err(self.out_of_order(VERSIONS));
        }
        Ok((page, Some(next)))
    }

    fn whole(&self, key: &str) -> String {
        if key.is_empty() { String::new() } else { self.named(key) }
    }

    fn named(&self, key: &str) -> String {
        format!("{}{key}", self.place.prefix)
    }

    fn call(&self, operation: &'static str) -> Call<'_> {
        Call { operation, region: &self.place.region, intent: Intent::Read }
    }

    fn out_of_order(&self, operation: &str) -> CloudError {
        CloudError {
            class: ErrorClass::Permanent,
            operation: operation.to_owned(),
            region: self.place.region.clone(),
            code: None,
            message: format!(
                "the list of bucket `{}` does not go on in the order of its keys; directory buckets \
                 and some servers have none, and cannot be listed in order",
                self.place.bucket
            ),
            request_id: None,
        }
    }

    /// Waits until a page may be asked for again.
    ///
    /// # Errors
    /// The error, where it is of no use.
    async fn again(
        &self,
        turn: Turn,
        tries: &mut Tries,
        error: CloudError,
    ) -> Result<(), CloudError> {
        if is_throttled(&error) {
            turn.throttled();
            tries.throttled += 1;
            return if tries.throttled > PATIENCE { Err(error) } else { Ok(()) };
        }
        drop(turn);
        // A server that has answered before is away; one that never did is not there.
        let away = error.class == ErrorClass::Unreachable && self.pace.has_answered();
        tries.failed += 1;
        if !(away || error.class == ErrorClass::Temporary) || tries.failed >= FAILURES {
            return Err(error);
        }
        tracing::debug!(%error, tries.failed, "a page is asked for again");
        let pause = PAUSE * (1 << tries.failed.min(6));
        self.clock.sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
        Ok(())
    }
}

/// How often a page was asked for in vain.
#[derive(Debug, Default)]
struct Tries {
    throttled: u32,
    failed: u32,
}

/// Whether S3 asked to be asked less often.
fn is_throttled(error: &CloudError) -> bool {
    const CODES: [&str; 5] = [
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "TooManyRequests",
    ];
    error.class == ErrorClass::Temporary && CODES.iter().any(|code| error.is(code))
}

/// The server of a bucket, and the path of it. AWS's own certificate does not fit a bucket with dots.
fn address(own: &OwnClient, bucket: &str) -> (String, String) {
    let path = format!("/{}/", encoded(bucket));
    if let Some(endpoint) = own.set_endpoint(&S3) {
        return (endpoint, path);
    }
    let host = own.host(&S3);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if bucket.len() >= 3 && bucket.chars().all(plain) {
        (format!("https://{bucket}.{host}"), "/".to_owned())
    } else {
        (format!("https://{host}"), path)
    }
}

fn objects_uri(path: &str, place: &ListPlace, ask: &Ask) -> String {
    let mut uri = format!("{path}?list-type=2&encoding-type=url&max-keys={}", ask.most);
    let mut put = |name: &str, value: &str| {
        uri.push_str(name);
        uri.push_str(&encoded(value));
    };
    if !place.prefix.is_empty() {
        put("&prefix=", &place.prefix);
    }
    match &ask.token {
        Some(token) => put("&continuation-token=", token),
        None if !ask.after.is_empty() => put("&start-after=", &ask.after),
        None => {}
    }
    uri
}

fn versions_uri(path: &str, place: &ListPlace, ask: &VersionsAsk) -> String {
    let mut uri = format!("{path}?versions&encoding-type=url&max-keys={}", ask.most);
    for (name, value) in [
        ("&prefix=", &place.prefix),
        ("&key-marker=", &ask.after.0),
        ("&version-id-marker=", &ask.after.1),
    ] {
        if !value.is_empty() {
            uri.push_str(name);
            uri.push_str(&encoded(value));
        }
    }
    uri
}

fn get(uri: &str) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::empty());
    request.set_method("GET")?;
    request.set_uri(uri)?;
    Ok(request)
}

fn page<T>(
    answer: &HttpResponse,
    read: impl FnOnce(&[u8]) -> Result<T, Unreadable>,
) -> Result<T, OrchestratorError<ListError>> {
    let bytes = answer.body().bytes().unwrap_or_default();
    if !answer.status().is_success() {
        let told = parse::error(bytes).unwrap_or_default();
        let region = answer.headers().get("x-amz-bucket-region");
        let meta = match (told.code(), region) {
            (Some("PermanentRedirect" | "AuthorizationHeaderMalformed"), Some(region)) => {
                let message = format!("the bucket is in {region}; name that region");
                ErrorMetadata::builder().code("PermanentRedirect").message(message).build()
            }
            _ => told,
        };
        return Err(OrchestratorError::operation(ListError { meta }));
    }
    read(bytes).map_err(|why| {
        if why.0 == NOT_IN_ORDER {
            let meta = ErrorMetadata::builder().code("NotInOrder").message(why.0).build();
            return OrchestratorError::operation(ListError { meta });
        }
        OrchestratorError::other(why.0)
    })
}

/// An error of S3 about a list: code and message. One that could not be read has no code.
#[derive(Debug, Clone, Default)]
struct ListError {
    meta: ErrorMetadata,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.meta)
    }
}

impl std::error::Error for ListError {}

impl ProvideErrorMetadata for ListError {
    fn meta(&self) -> &ErrorMetadata {
        &self.meta
    }
}
