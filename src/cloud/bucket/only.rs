//! A wall around the HTTP client of a bucket: requests to this bucket below this prefix, and no others.
//!
//! **Invariant:** it reads the request itself and trusts no caller; a place that cannot be read is another
//! place.

use crate::cloud::bucket::BucketPlace;
use crate::cloud::guard::GuardRefusal;
use crate::cloud::guard::rest::bucket_and_key;
use crate::cloud::guard::wire;
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;

/// The inner client for requests to `place` only.
pub(super) fn only(inner: SharedHttpClient, place: &BucketPlace) -> SharedHttpClient {
    let (bucket, prefix) = (place.bucket.clone(), place.prefix.clone());
    http_client_fn(move |settings, components| {
        let inner = inner.http_connector(settings, components);
        let (bucket, prefix) = (bucket.clone(), prefix.clone());
        SharedHttpConnector::new(Only { inner, bucket, prefix })
    })
}

#[derive(Debug)]
struct Only {
    inner: SharedHttpConnector,
    bucket: String,
    prefix: String,
}

impl HttpConnector for Only {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if self.allows(&request) {
            return self.inner.call(request);
        }
        let refusal = GuardRefusal::Elsewhere { place: wire::place(&request) };
        HttpConnectorFuture::ready(Err(ConnectorError::user(refusal.into())))
    }
}

impl Only {
    fn allows(&self, request: &HttpRequest) -> bool {
        let (host, path) = wire::host_and_path(request);
        let Some((bucket, key)) = bucket_and_key(&host, &path) else { return false };
        if bucket != self.bucket {
            return false;
        }
        if key.is_empty() { self.lists_below(request) } else { self.is_below(key) }
    }

    /// `HeadBucket` names no key; a list has to name the prefix.
    fn lists_below(&self, request: &HttpRequest) -> bool {
        let Some((_, query)) = request.uri().split_once('?') else {
            return request.method() == "HEAD";
        };
        let mut prefixes = form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| name == "prefix")
            .map(|(_, value)| value.into_owned());
        let prefix = prefixes.next().unwrap_or_default();
        prefixes.next().is_none() && self.is_below(&prefix)
    }

    fn is_below(&self, key: &str) -> bool {
        if self.prefix.is_empty() {
            return true;
        }
        key.strip_prefix(&self.prefix).is_some_and(|rest| rest.starts_with('/'))
            && !key.split('/').any(|part| part == ".." || part == ".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    fn allows(prefix: &str, method: &str, uri: &str) -> bool {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_method(method).unwrap();
        request.set_uri(uri).unwrap();
        let inner = SharedHttpConnector::new(Nobody);
        let (bucket, prefix) = ("team".to_owned(), prefix.to_owned());
        Only { inner, bucket, prefix }.allows(&request)
    }

    #[derive(Debug)]
    struct Nobody;

    impl HttpConnector for Nobody {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::ready(Err(ConnectorError::user("nobody".into())))
        }
    }

    #[test]
    fn one_prefix_of_one_bucket() {
        let aws = "https://team.s3.eu-west-1.amazonaws.com";
        let plain = "http://127.0.0.1:4577";
        for (method, uri, wanted) in [
            ("HEAD", format!("{aws}/"), true),
            ("HEAD", format!("{plain}/team"), true),
            ("HEAD", format!("{plain}/other"), false),
            ("PUT", format!("{aws}/dr/runs/1?x-id=PutObject"), true),
            ("PUT", format!("{plain}/team/dr/runs/1"), true),
            ("PUT", "http://minio.s3.svc:9000/team/dr/1".to_owned(), true),
            ("PUT", format!("{plain}/other/dr/runs/1"), false),
            ("PUT", format!("{plain}/team//dr/runs/1"), false),
            ("PUT", format!("{aws}/drx/runs/1"), false),
            ("PUT", format!("{aws}/x/dr/runs/1"), false),
            ("PUT", format!("{aws}/team/dr/1"), false),
            ("GET", format!("{aws}/dr/../secret"), false),
            ("GET", format!("{aws}/?list-type=2&prefix=dr%2Fruns%2F"), true),
            ("GET", format!("{plain}/team/?list-type=2&prefix=dr%2F"), true),
            ("GET", format!("{plain}/team/?list-type=2"), false),
            ("GET", format!("{plain}/team/?list-type=2&prefix=x"), false),
            ("GET", format!("{plain}/team/?prefix=dr%2F&prefix=x"), false),
            ("GET", "https://other.s3.eu-west-1.amazonaws.com/dr/1".to_owned(), false),
        ] {
            assert_eq!(allows("dr", method, &uri), wanted, "{method} {uri}");
        }
        assert!(allows("", "PUT", &format!("{aws}/anything")));
    }
}
