//! S3's errors, with the elements and headers that clients look at.
//!
//! **Invariant:** a refusal changes nothing; each has the code and status of S3's own list.

use crate::sim::answer::ApiError;
use crate::sim::s3::wire::Request;

pub(super) fn no_such_bucket(bucket: &str) -> ApiError {
    ApiError::not_found("NoSuchBucket", "The specified bucket does not exist")
        .with_detail("BucketName", bucket)
}

pub(super) fn no_such_key(key: &str) -> ApiError {
    ApiError::not_found("NoSuchKey", "The specified key does not exist.").with_detail("Key", key)
}

pub(super) fn no_such_version(key: &str, id: &str) -> ApiError {
    ApiError::not_found("NoSuchVersion", "The specified version does not exist.")
        .with_detail("Key", key)
        .with_detail("VersionId", id)
}

/// A configuration that was never put.
pub(super) fn not_found((code, message): (&str, &str), bucket: &str) -> ApiError {
    ApiError::not_found(code, message).with_detail("BucketName", bucket)
}

/// A condition of the request does not hold; `header` names it.
pub(super) fn precondition_failed(header: &str) -> ApiError {
    let message = "At least one of the pre-conditions you specified did not hold";
    ApiError::sender("PreconditionFailed", message)
        .with_status(412)
        .with_detail("Condition", header)
}

/// The bucket is in another region than the request is for.
pub(super) fn wrong_region(request: &Request, asked: &str, bucket: &str, region: &str) -> ApiError {
    let error = if request.by_host {
        let message = "The bucket you are attempting to access must be addressed using the specified \
                       endpoint. Please send all future requests to this endpoint.";
        ApiError::sender("PermanentRedirect", message)
            .with_status(301)
            .with_detail("Endpoint", &format!("{bucket}.s3.{region}.amazonaws.com"))
            .with_detail("Bucket", bucket)
    } else {
        // One address for all regions: what is wrong is the signature's scope.
        let message = format!(
            "The authorization header is malformed; the region '{asked}' is wrong; expecting '{region}'"
        );
        ApiError::sender("AuthorizationHeaderMalformed", message).with_detail("Region", region)
    };
    error.with_detail("x-amz-bucket-region", region)
}

pub(super) fn invalid_argument(message: &str, name: &str, value: &str) -> ApiError {
    ApiError::sender("InvalidArgument", message)
        .with_detail("ArgumentName", name)
        .with_detail("ArgumentValue", value)
}

pub(super) fn malformed_xml() -> ApiError {
    let message = "The XML you provided was not well-formed or did not validate against our \
                   published schema";
    ApiError::sender("MalformedXML", message)
}

/// A request that has more to it than the simulator does.
pub(super) fn not_implemented(header: &str) -> ApiError {
    let message = "A header you provided implies functionality that is not implemented";
    ApiError::sender("NotImplemented", message).with_status(501).with_detail("Header", header)
}

/// Too many requests.
pub(in crate::sim) fn slow_down() -> ApiError {
    ApiError::sender("SlowDown", "Please reduce your request rate.").with_status(503)
}

/// The server failed.
pub(in crate::sim) fn internal() -> ApiError {
    let message = "We encountered an internal error. Please try again.";
    ApiError::sender("InternalError", message).with_status(500)
}

/// The method, or what follows the question mark, is none that the simulator carries out.
pub(in crate::sim) fn unknown(request: &Request) -> ApiError {
    let message = "The specified method is not allowed against this resource.";
    ApiError::sender("MethodNotAllowed", message)
        .with_status(405)
        .with_detail("Method", &request.method)
}
