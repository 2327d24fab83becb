//! Where a server is, and how to be let in.

use std::fmt;
use std::time::Duration;

use graflow_model::ExecutionId;
use reqwest::Url;

use crate::environment;

/// A server's address and token.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Ends in `/`, so that paths can be put behind it.
    base: Url,
    token: Option<String>,
}

/// The text is no address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` is no address of a server: {reason}; write it as http://127.0.0.1:8000")]
pub struct EndpointError {
    url: String,
    reason: String,
}

impl Endpoint {
    /// Reads an address.
    ///
    /// ```
    /// use graflow_client::Endpoint;
    /// let endpoint = Endpoint::parse("http://lineage.example:8000/team-a").unwrap();
    /// assert_eq!(endpoint.to_string(), "http://lineage.example:8000/team-a");
    /// assert!(Endpoint::parse("lineage.example:8000").is_err());
    /// ```
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        let error = |reason: String| EndpointError { url: url.to_owned(), reason };
        let mut base: Url = url.parse().map_err(|parse_error| error(format!("{parse_error}")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(error("neither http:// nor https://".into()));
        }
        base.set_query(None);
        base.set_fragment(None);
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        Ok(Self { base, token: None })
    }

    /// The same server, let in by this token.
    #[must_use]
    pub fn with_token(mut self, token: Option<String>) -> Self {
        self.token = token;
        self
    }

    /// What [`environment::URL`] and [`environment::TOKEN`] say, if they say anything.
    pub fn from_environment() -> Option<Result<Self, EndpointError>> {
        let url = environment::variable(environment::URL)?;
        Some(Self::parse(&url).map(|endpoint| endpoint.with_token(environment::variable(environment::TOKEN))))
    }

    /// The address of a path of the server; the path begins with `/`.
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let joined = format!("{}{}", self.base.path(), path.trim_start_matches('/'));
        url.set_path(&joined);
        url.set_query(query);
        url
    }

    /// The address of the page of an execution.
    ///
    /// ```
    /// use graflow_client::Endpoint;
    /// let endpoint = Endpoint::parse("http://127.0.0.1:8000").unwrap();
    /// assert_eq!(endpoint.execution_page(&"a/b".into()).as_str(), "http://127.0.0.1:8000/executions/a%2Fb");
    /// ```
    pub fn execution_page(&self, id: &ExecutionId) -> Url {
        let mut page = self.base.clone();
        // An address with a host has segments; this one has, or it would not have been read.
        if let Ok(mut path) = page.path_segments_mut() {
            path.pop_if_empty().extend(["executions", id.as_str()]);
        }
        page
    }

    /// The token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether it is on this machine, reached by its loopback address.
    pub fn is_loopback(&self) -> bool {
        match self.base.host_str() {
            Some("localhost") => true,
            Some(host) => {
                let host = host.trim_start_matches('[').trim_end_matches(']');
                host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            None => false,
        }
    }

    /// Whether it is spoken to in TLS.
    pub fn is_tls(&self) -> bool {
        self.base.scheme() == "https"
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.base.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Endpoint {
    /// Leaves the token out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Endpoint({self})")
    }
}

/// An HTTP client for that server. Plain HTTP does not load certificates, and loopback never goes through a proxy.
pub(crate) fn http_client(
    endpoint: &Endpoint,
    timeout: Option<Duration>,
) -> reqwest::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .pool_max_idle_per_host(4)
        .user_agent(concat!("graflow-client/", env!("CARGO_PKG_VERSION")));
    if let Some(timeout) = timeout {
        builder = builder.timeout(timeout);
    }
    if endpoint.is_loopback() {
        builder = builder.no_proxy();
    }
    if endpoint.is_tls() {
        // Another part of the program may have chosen a provider already; then that one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
    } else {
        builder = builder.tls_backend_preconfigured(without_certificates());
    }
    builder.build()
}

/// TLS that trusts nobody: it is never spoken, and costs nothing to set up.
fn without_certificates() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    #[expect(clippy::expect_used, reason = "ring knows TLS 1.2 and 1.3; no input reaches this")]
    let builder = builder.with_safe_default_protocol_versions().expect("ring has the default versions");
    builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, path, expected) in [
            ("http://127.0.0.1:8000", "/api/events", "http://127.0.0.1:8000/api/events"),
            ("http://h/prefix", "/api/x?a=b%20c", "http://h/prefix/api/x?a=b%20c"),
            ("https://h/prefix/?x=1#y", "/", "https://h/prefix/"),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().url(path).as_str(), expected);
        }
        for bad in ["", "h:8000", "ftp://h", "http://", "/api"] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn loopback_is_told_by_the_address() {
        for (url, loopback) in [
            ("http://localhost:1", true),
            ("http://127.0.0.1", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:80", true),
            ("http://10.0.0.1", false),
            ("https://lineage.example", false),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().is_loopback(), loopback, "{url}");
        }
    }

    #[test]
    fn the_token_is_not_shown() {
        let endpoint = Endpoint::parse("http://h").unwrap().with_token(Some("secret".into()));
        assert_eq!(format!("{endpoint:?}"), "Endpoint(http://h)");
    }
}
