//! The contract between actions and whatever answers HTTP: the network, or a simulated environment.
//!
//! **Invariant:** plain data and a trait; nothing here opens a connection.

use super::address::HttpAddress;
use crate::base::digest::Digest;
use crate::base::duration;
use crate::base::redact::redact_line;
use crate::base::secret::Secret;
use crate::cloud::error::ErrorClass;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::path::PathBuf;
use std::time::Duration;

/// Most of an answer's body that is read, bytes: health pages have a few hundred.
pub const MAX_BODY: usize = 1_048_576;

/// Longest piece of foreign text that an error carries, in characters.
const MAX_TEXT: usize = 300;

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Reads, without the body.
    Head,
    /// Sends.
    Post,
}

impl HttpMethod {
    /// As the request line has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
        }
    }
}

/// A request.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// What it does.
    pub method: HttpMethod,
    /// Where it goes.
    pub address: HttpAddress,
    /// Headers beside those that every request has.
    pub headers: Vec<(String, Secret)>,
    /// Body of a POST.
    pub body: Secret,
    /// How many redirects of a GET or HEAD the gate follows, one request each; none in a dry run.
    pub redirects: u32,
    /// PEM file with the authorities that may sign the server's certificate; those of the system when
    /// absent.
    pub trust: Option<PathBuf>,
    /// Longest time for all of it.
    pub timeout: Duration,
}

impl HttpRequest {
    /// The request that `answer` leads on to; `None` when it is no redirect, or none is wanted. Headers
    /// of the caller stay with the host that the caller named.
    ///
    /// # Errors
    /// It leads nowhere, or out of TLS.
    pub fn onward(&self, answer: &HttpAnswer) -> Result<Option<Self>, HttpError> {
        let moved = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
        let follows = self.redirects > 0 && self.method != HttpMethod::Post;
        let Some(location) = answer.location.as_ref().filter(|_| moved && follows) else {
            return Ok(None);
        };
        let place = self.address.to_string();
        let address =
            self.address.join(location).map_err(|why| HttpError::Redirect { place, why })?;
        let stays = address.is_of_host(&self.address);
        let headers = if stays { self.headers.clone() } else { Vec::new() };
        Ok(Some(Self { address, headers, ..self.clone() }))
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Status code.
    pub status: u16,
    /// The body, up to [`MAX_BODY`].
    pub body: Vec<u8>,
    /// Whether the body ended there.
    pub whole: bool,
    /// From the first attempt to connect to the end of the body.
    pub took: Duration,
    /// Who answered, such as `https://app.example/health`; after redirects the last one.
    pub place: String,
    /// Where it sends the caller, as it says; it may hold secrets.
    pub location: Option<String>,
    /// When the server's certificate ends.
    pub certificate_ends: Option<DateTime<Utc>>,
    /// Where what was sent can be read, when it was recorded instead of sent.
    pub recorded: Option<String>,
    /// What answered in place of the server, such as `the estate file`; `None` for the network.
    pub stand_in: Option<&'static str>,
}

impl HttpAnswer {
    /// The digest of the body as far as it was read.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.body)
    }
}

/// Sends requests.
#[async_trait]
pub trait HttpPort: Send + Sync + std::fmt::Debug {
    /// Sends one request and reads its answer, whatever the status; no redirect is followed.
    ///
    /// # Errors
    /// Why there is no answer.
    async fn send(&self, request: &HttpRequest) -> Result<HttpAnswer, HttpError>;
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No connection: refused, unresolved, cut off before anything was sent.
    #[error("cannot reach {place}: {why}")]
    Unreachable {
        /// The address.
        place: String,
        /// The cause.
        why: String,
    },
    /// TLS could not be set up or verified.
    #[error("no verified TLS with {place}: {why}")]
    Tls {
        /// The address.
        place: String,
        /// The cause and what to do.
        why: String,
    },
    /// A read that had no answer in time.
    #[error("{place} had not answered after {}", duration::format(*.limit))]
    Timeout {
        /// The address.
        place: String,
        /// The limit.
        limit: Duration,
    },
    /// A read whose answer broke off or is not HTTP.
    #[error("{place} did not answer in HTTP: {why}")]
    Broken {
        /// The address.
        place: String,
        /// The cause.
        why: String,
    },
    /// Redirects that lead nowhere, out of TLS, or on and on.
    #[error("{place} redirects, and that was not followed to an end: {why}")]
    Redirect {
        /// The address.
        place: String,
        /// The cause.
        why: String,
    },
    /// The request itself cannot be sent.
    #[error("a request to {place} cannot be made: {why}")]
    Request {
        /// The address.
        place: String,
        /// The cause.
        why: String,
    },
    /// The server did not take what was sent.
    #[error("{place} answered with status {status}")]
    Answered {
        /// The address.
        place: String,
        /// The status.
        status: u16,
    },
    /// Something was sent, and nobody knows whether it arrived.
    #[error("it was sent to {place}, and no answer came: {why}")]
    Lost {
        /// The address.
        place: String,
        /// The cause.
        why: String,
    },
}

impl HttpError {
    /// Nobody is there.
    pub fn unreachable(address: &HttpAddress, why: &str) -> Self {
        Self::Unreachable { place: address.to_string(), why: redact_line(why, MAX_TEXT) }
    }

    /// No answer, after the request had begun to leave.
    pub(super) fn unanswered(request: &HttpRequest, why: &str) -> Self {
        let (place, why) = (request.address.to_string(), redact_line(why, MAX_TEXT));
        match request.method {
            HttpMethod::Get | HttpMethod::Head => Self::Broken { place, why },
            HttpMethod::Post => Self::Lost { place, why },
        }
    }

    /// The cause as a redacted line that fits into an error.
    pub(super) fn cause(why: &str) -> String {
        redact_line(why, MAX_TEXT)
    }

    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } => ErrorClass::Unreachable,
            Self::Broken { .. } => ErrorClass::Temporary,
            Self::Tls { .. } | Self::Redirect { .. } | Self::Request { .. } => {
                ErrorClass::Permanent
            }
            Self::Answered { status, .. } => match status {
                // It says itself that it did nothing yet.
                429 | 503 => ErrorClass::Temporary,
                500..=599 => ErrorClass::InDoubt,
                _ => ErrorClass::Permanent,
            },
            Self::Lost { .. } => ErrorClass::InDoubt,
        }
    }
}
