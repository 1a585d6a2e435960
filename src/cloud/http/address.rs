//! An http or https address, which knows how to be shown.
//!
//! **Invariant:** its `Debug` and `Display` forms hold no secret: neither a query value that looks like
//! one nor, for an address that is a secret itself, anything after the host.

use crate::base::redact::looks_secret;
use crate::base::secret::HIDDEN;
use std::fmt;

/// An address that can be asked.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpAddress {
    uri: http::Uri,
    confidential: bool,
}

impl HttpAddress {
    /// Reads an address such as `https://app.example/health`.
    ///
    /// # Errors
    /// A sentence fragment that says what is wrong; it does not hold the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.split('#').next().unwrap_or_default();
        let uri: http::Uri = text.parse().map_err(|error| {
            format!("it is no address ({error}); write it as https://host/path, in ASCII")
        })?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err("an address begins with http:// or https://".to_owned());
        }
        let Some(authority) = uri.authority() else {
            return Err("it names no host".to_owned());
        };
        if authority.as_str().contains('@') {
            let why = "it holds a user or a password, which would stand in the journal; send them as \
                       a header whose value comes from a variable (`headers_from`)";
            return Err(why.to_owned());
        }
        if authority.host().is_empty() || authority.host() == "[]" {
            return Err("it names no host".to_owned());
        }
        if authority.as_str().ends_with(':') || (authority.port().is_none() && has_port(authority))
        {
            return Err("its port is no number from 1 to 65535".to_owned());
        }
        Ok(Self { uri, confidential: false })
    }

    /// The same address, of which nothing but scheme and host is ever shown: addresses of webhooks are
    /// secrets.
    #[must_use]
    pub fn confidential(mut self) -> Self {
        self.confidential = true;
        self
    }

    /// Where `location`, the header of a redirect, leads from here.
    ///
    /// # Errors
    /// It leads nowhere, or from https to http.
    pub fn join(&self, location: &str) -> Result<Self, String> {
        let base = url::Url::parse(&self.uri.to_string());
        let target = base.and_then(|base| base.join(location));
        let absolute = target.map_err(|error| format!("it leads nowhere ({error})"))?.to_string();
        let target = Self { confidential: self.confidential, ..Self::parse(&absolute)? };
        if self.is_tls() && !target.is_tls() {
            return Err("it leads from https to http".to_owned());
        }
        Ok(target)
    }

    /// Whether its query holds a value that looks like a secret.
    pub fn has_secret(&self) -> bool {
        let pairs = self.uri.query().into_iter().flat_map(|query| query.split('&'));
        pairs.filter_map(|pair| pair.split_once('=')).any(|(name, value)| is_secret(name, value))
    }

    /// Whether both lead to one server: scheme, host and port.
    pub fn is_of_host(&self, other: &Self) -> bool {
        self.is_tls() == other.is_tls()
            && self.host().eq_ignore_ascii_case(other.host())
            && self.port() == other.port()
    }

    /// Whether it is an https address.
    pub fn is_tls(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// The host, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default().trim_matches(['[', ']'])
    }

    /// The port, written or implied.
    pub fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(if self.is_tls() { 443 } else { 80 })
    }

    /// Host and port as the `Host` header has them.
    pub fn authority(&self) -> &str {
        self.uri.authority().map_or("", http::uri::Authority::as_str)
    }

    /// Path and query as the request line has them.
    pub fn target(&self) -> &str {
        self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
    }

    /// Whether the two mean one resource: host in any case, port written or implied.
    pub fn means(&self, other: &Self) -> bool {
        self.is_of_host(other) && self.target() == other.target()
    }
}

/// Whether a parameter of a query looks like a secret: its name says so, and it has a value.
fn is_secret(name: &str, value: &str) -> bool {
    !value.is_empty() && looks_secret(name)
}

/// Whether something stands where a port would.
fn has_port(authority: &http::uri::Authority) -> bool {
    authority.as_str().len() > authority.host().len()
}

impl fmt::Display for HttpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        write!(f, "{scheme}://{}", self.authority())?;
        if self.confidential {
            return write!(f, "/{HIDDEN}");
        }
        f.write_str(self.uri.path())?;
        for (number, pair) in self.uri.query().into_iter().flat_map(|q| q.split('&')).enumerate() {
            f.write_str(if number == 0 { "?" } else { "&" })?;
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let shown = if is_secret(name, value) { HIDDEN } else { value };
            let equals = if pair.contains('=') { "=" } else { "" };
            write!(f, "{name}{equals}{shown}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for HttpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::HttpAddress;

    fn parse(text: &str) -> HttpAddress {
        HttpAddress::parse(text).expect(text)
    }

    #[test]
    fn addresses_are_read_and_shown_without_their_secrets() {
        let cases = [
            ("https://app.example/health#top", "https://app.example/health"),
            ("http://[::1]:8080", "http://[::1]:8080/"),
            ("https://a.b/x?page=2&api_key=k1&x", "https://a.b/x?page=2&api_key=(secret)&x"),
            ("https://a.b/?X-Amz-Signature=abc", "https://a.b/?X-Amz-Signature=(secret)"),
        ];
        for (text, shown) in cases {
            assert_eq!(parse(text).to_string(), shown);
        }
        let hook = parse("https://hooks.example/T1/B2/abc?x=1").confidential();
        assert_eq!(format!("{hook} {hook:?}").matches("abc").count(), 0);
        assert_eq!(hook.to_string(), "https://hooks.example/(secret)");
        assert_eq!((hook.host(), hook.port()), ("hooks.example", 443));
        assert_eq!(hook.target(), "/T1/B2/abc?x=1");
        let six = parse("http://[::1]:8080/x");
        assert_eq!((six.host(), six.port(), six.authority()), ("::1", 8080, "[::1]:8080"));
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_quoted() {
        for (text, why) in [
            ("", "no address"),
            ("app.example/health", "no address"),
            ("/health", "begins with http"),
            ("ftp://a.b/", "begins with http"),
            ("https://", "no address"),
            ("https://us:hunter2@a.b/", "headers_from"),
            ("https://a.b:99999/", "port"),
            ("https://a.b:hunter2/", "port"),
            ("https://a b/hunter2", "no address"),
            ("https://ä.example/", "ASCII"),
            ("https://a.b/\0hunter2", "no address"),
        ] {
            let refused = HttpAddress::parse(text).expect_err(text);
            assert!(refused.contains(why), "{text}: {refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn redirects_lead_on_and_never_out_of_tls() {
        let from = parse("https://a.b/x/y?z=1");
        for (location, to) in [
            ("/other", "https://a.b/other"),
            ("sibling", "https://a.b/x/sibling"),
            ("//c.d/q", "https://c.d/q"),
            ("https://c.d/q", "https://c.d/q"),
            ("?page=2", "https://a.b/x/y?page=2"),
            ("../up", "https://a.b/up"),
            ("/login?next=https://app/", "https://a.b/login?next=https://app/"),
            ("sign-in?next=https://app/#top", "https://a.b/x/sign-in?next=https://app/"),
        ] {
            assert_eq!(from.join(location).expect(location).to_string(), to);
        }
        assert!(from.join("http://a.b/").expect_err("downgrade").contains("to http"));
        for location in ["javascript://x", "https://", "https://us:hunter2@c.d/", "//c.d:99999/"] {
            let refused = from.join(location).expect_err(location);
            assert!(!refused.contains("hunter2"), "{refused}");
        }
        assert!(parse("https://A.b:443/x").means(&parse("https://a.b/x")));
        assert!(!parse("https://a.b/x").means(&parse("http://a.b/x")));
    }
}
