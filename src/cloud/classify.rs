//! Sorts failed calls by what may be done about them.
//!
//! **Invariant:** a write whose effect is not known is in doubt: only an answer that says that
//! nothing happened, or the certainty that nothing was sent, makes it anything else.

use crate::base::redact::redact_line;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::guard::GuardRefusal;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use std::io;

/// Longest piece of foreign text in an error, characters.
const MAX_TEXT: usize = 400;

/// What an answer is that is not of the protocol.
pub(crate) const UNREADABLE: &str = "an answer that cannot be read";

/// What a call is meant to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// It may be repeated without harm.
    Read,
    /// It may have happened although nobody said so.
    Write,
}

/// The call that failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// `rds:DeleteDBInstance`.
    pub(crate) operation: &'a str,
    /// Region it was sent to.
    pub(crate) region: &'a str,
    /// What it is meant to do.
    pub(crate) intent: Intent,
}

const THROTTLED: [&str; 11] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "TooManyRequestsException",
];

const WRONG_STATE: [&str; 6] = [
    "InvalidDBClusterStateFault",
    "InvalidDBInstanceState",
    "InvalidDBInstanceStateFault",
    "InvalidDBSnapshotState",
    "InvalidExportSourceState",
    "InvalidGlobalClusterStateFault",
];

const CREDENTIALS: [&str; 19] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
];

/// Codes by which a server says that it failed, whatever the HTTP status.
const SERVER_FAILED: [&str; 7] = [
    "InternalError",
    "InternalFailure",
    "InternalServiceError",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];

/// The class of an answer with AWS's `code` and the HTTP `status`.
pub(crate) fn code_class(code: &str, status: u16, intent: Intent) -> ErrorClass {
    if THROTTLED.contains(&code) || code.starts_with("Throttling") || status == 429 {
        ErrorClass::Temporary
    } else if CREDENTIALS.contains(&code) {
        ErrorClass::Credentials
    } else if WRONG_STATE.contains(&code) {
        ErrorClass::Temporary
    } else if SERVER_FAILED.contains(&code) || status >= 500 {
        failed_class(intent)
    } else {
        ErrorClass::Permanent
    }
}

/// The class of a call that a server may or may not have carried out.
fn failed_class(intent: Intent) -> ErrorClass {
    match intent {
        Intent::Read => ErrorClass::Temporary,
        Intent::Write => ErrorClass::InDoubt,
    }
}

/// An error of the SDK as one of ours.
pub(crate) fn sdk_error<E>(call: Call<'_>, error: &SdkError<E, HttpResponse>) -> CloudError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let request_id = error.raw_response().and_then(request_id);
    let (class, code, message) = judge(call, error);
    CloudError {
        class,
        operation: call.operation.to_owned(),
        region: call.region.to_owned(),
        code,
        message: clean(&message),
        request_id,
    }
}

fn judge<E>(
    call: Call<'_>,
    error: &SdkError<E, HttpResponse>,
) -> (ErrorClass, Option<String>, String)
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(refusal) = GuardRefusal::find(error) {
        // Nothing was sent; the driver looks at its lease and at the resource, and tries again if it may.
        let ended = matches!(refusal, GuardRefusal::LeaseEnded { .. });
        let class = if ended { ErrorClass::Temporary } else { ErrorClass::Refused };
        return (class, None, refusal.to_string());
    }
    if let Some(cause) = find::<CredentialsError>(error) {
        let (class, why) = credentials(cause);
        return (class, None, why);
    }
    if let SdkError::ServiceError(context) = error
        && let Some(code) = context.err().meta().code()
    {
        let status = context.raw().status().as_u16();
        let class = code_class(code, status, call.intent);
        let message = context.err().meta().message().unwrap_or("(no message)");
        return (class, Some(code.to_owned()), message.to_owned());
    }
    if let Some(response) = error.raw_response() {
        return unreadable(call, response, error);
    }
    if never_connected(error) {
        let why = format!("nobody answers at the endpoint: {}", causes(error));
        return (ErrorClass::Unreachable, None, why);
    }
    if matches!(error, SdkError::ConstructionFailure(_)) {
        return (ErrorClass::Permanent, None, causes(error));
    }
    (failed_class(call.intent), None, format!("no answer: {}", causes(error)))
}

/// Why there were no credentials to sign with. Nothing was sent to the service.
fn credentials(error: &CredentialsError) -> (ErrorClass, String) {
    let causes = causes(error);
    if never_connected(error) {
        return (
            ErrorClass::Unreachable,
            format!("nobody answers who gives credentials: {causes}"),
        );
    }
    let broken = find::<ConnectorError>(error).is_some_and(|e| e.is_timeout() || e.is_io());
    let late = chain(error).any(|cause| cause.to_string() == "request has timed out");
    if broken || late || matches!(error, CredentialsError::ProviderTimedOut(_)) {
        return (ErrorClass::Temporary, format!("credentials could not be loaded: {causes}"));
    }
    (ErrorClass::Credentials, format!("no usable credentials: {causes}; log in and resume"))
}

/// An answer that is not of the protocol: a proxy's page, an emulator's stack trace, a cut body.
fn unreadable<E>(
    call: Call<'_>,
    response: &HttpResponse,
    error: &SdkError<E, HttpResponse>,
) -> (ErrorClass, Option<String>, String)
where
    E: Error + 'static,
{
    let status = response.status().as_u16();
    let class = match (status, call.intent) {
        (429, _) => ErrorClass::Temporary,
        // Somebody answered, only not AWS: a captive portal or a wrong address.
        (200..=299, Intent::Read) if is_page(response) => ErrorClass::Unreachable,
        (200..=299 | 500.., intent) => failed_class(intent),
        (401 | 403 | 407, _) => ErrorClass::Credentials,
        _ => ErrorClass::Permanent,
    };
    let message = if is_page(response) {
        format!(
            "HTTP {status} with a web page instead of an answer of AWS: {}; check the endpoint \
             and any proxy",
            page_text(response)
        )
    } else {
        format!("HTTP {status} with {UNREADABLE}: {}", causes(error))
    };
    (class, None, message)
}

fn body_text(response: &HttpResponse) -> String {
    String::from_utf8_lossy(response.body().bytes().unwrap_or_default()).into_owned()
}

fn is_page(response: &HttpResponse) -> bool {
    let typed = response.headers().get("content-type").is_some_and(|t| t.starts_with("text/html"));
    let text = body_text(response).trim_start().to_ascii_lowercase();
    typed || text.starts_with("<!doctype html") || text.starts_with("<html")
}

/// The words of a page without its tags, scripts and styles not told apart: enough to recognise it.
fn page_text(response: &HttpResponse) -> String {
    let mut words = String::new();
    let mut in_tag = false;
    for character in body_text(response).chars() {
        match character {
            '<' => in_tag = true,
            '>' => {
                in_tag = false;
                words.push(' ');
            }
            other if !in_tag => words.push(other),
            _ => {}
        }
    }
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(MAX_TEXT / 2).collect();
    if cut.is_empty() { "(empty)".to_owned() } else { format!("\"{cut}\"") }
}

/// Whether no connection was ever made, so that nothing can have happened.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|cause| {
        let refused = cause.downcast_ref::<io::Error>().is_some_and(|io| {
            matches!(
                io.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::AddrNotAvailable
            )
        });
        let text = cause.to_string();
        refused
            || text == "client error (Connect)"
            || text.starts_with("dns error")
            || text.starts_with("HTTP connect timeout")
    })
}

/// An error's causes in one line, without the SDK's words that say nothing.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    const EMPTY_WORDS: [&str; 7] = [
        "dispatch failure",
        "failed to construct request",
        "io error",
        "other",
        "response error",
        "unhandled error",
        "user error",
    ];
    let mut said: Vec<String> = Vec::new();
    for cause in chain(error) {
        let text = cause.to_string();
        let known = said.iter().any(|before| before.contains(&text));
        if !known && !EMPTY_WORDS.contains(&text.as_str()) {
            said.push(text);
        }
    }
    if said.is_empty() { error.to_string() } else { said.join(": ") }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn cause<'a>(error: &&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        (*error).source()
    }
    std::iter::successors(Some(error), cause)
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|cause| cause.downcast_ref::<T>())
}

fn request_id(response: &HttpResponse) -> Option<String> {
    let headers = response.headers();
    let found = headers.get("x-amzn-requestid").or_else(|| headers.get("x-amz-request-id"));
    found.map(str::to_owned)
}

/// One line of bounded, redacted text.
fn clean(text: &str) -> String {
    redact_line(text, MAX_TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_classes() {
        use ErrorClass::{Credentials, InDoubt, Permanent, Temporary};
        // Code, HTTP status, class of a read, class of a write.
        for (code, status, read, write) in [
            ("Throttling", 400, Temporary, Temporary),
            ("ThrottlingException", 400, Temporary, Temporary),
            ("RequestLimitExceeded", 503, Temporary, Temporary),
            ("SlowDown", 503, Temporary, Temporary),
            ("Whatever", 429, Temporary, Temporary),
            ("ServiceUnavailable", 503, Temporary, InDoubt),
            ("InternalFailure", 500, Temporary, InDoubt),
            ("InternalFailure", 400, Temporary, InDoubt),
            ("RequestTimeout", 400, Temporary, InDoubt),
            ("SomethingNew", 502, Temporary, InDoubt),
            ("InvalidDBInstanceState", 400, Temporary, Temporary),
            ("DBInstanceAlreadyExists", 400, Permanent, Permanent),
            ("DBInstanceNotFound", 404, Permanent, Permanent),
            ("PointInTimeRestoreNotEnabled", 400, Permanent, Permanent),
            ("InvalidParameterCombination", 400, Permanent, Permanent),
            ("InsufficientDBInstanceCapacity", 400, Permanent, Permanent),
            ("LimitExceededException", 400, Permanent, Permanent),
            ("AccessDenied", 403, Credentials, Credentials),
            ("ExpiredToken", 403, Credentials, Credentials),
            ("RequestExpired", 400, Credentials, Credentials),
            ("RequestTimeTooSkewed", 403, Credentials, Credentials),
            ("SignatureDoesNotMatch", 403, Credentials, Credentials),
            ("UnrecognizedClientException", 400, Credentials, Credentials),
            ("InvalidClientTokenId", 403, Credentials, Credentials),
        ] {
            assert_eq!(code_class(code, status, Intent::Read), read, "read {code} {status}");
            assert_eq!(code_class(code, status, Intent::Write), write, "write {code} {status}");
        }
    }

    #[test]
    fn causes_are_said_once_and_cleaned() {
        let inner = io::Error::other("password=hunter2 was refused");
        let outer = io::Error::other(inner);
        assert_eq!(causes(&outer), "password=hunter2 was refused");
        assert_eq!(clean(&causes(&outer)), "password=(secret) was refused");
        assert_eq!(clean(&"x".repeat(1_000)).chars().count(), MAX_TEXT + 1);
    }
}
