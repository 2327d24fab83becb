use std::fmt;
use std::time::Duration;

use graflow_model::limits;
use graflow_wire::Limits;

use crate::web::Pages;

/// Rows of a page when nothing is said.
pub(crate) const PAGE_DEFAULT: usize = 1_000;
/// Rows of a page at most.
pub(crate) const PAGE_MAX: usize = 5_000;
/// Events that a viewer can be behind and still be served from the log.
pub(crate) const REPLAY_EVENTS: u64 = 100_000;
/// Rows of a snapshot that a greeting carries.
pub(crate) const SNAPSHOT_ROWS: usize = 2_000;

/// How the server behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address to listen on, as a person writes it.
    pub host: String,
    /// The port to listen on; 0 = any that is free.
    pub port: u16,
    /// Who may ask; none = everybody who reaches the port. An address beyond loopback needs one.
    pub token: Option<Token>,
    /// Origins, such as `https://lineage.example.org`, whose pages may ask from a browser.
    pub cors_origins: Vec<String>,
    /// Names that the server answers to beside loopback's own while it listens on loopback, as behind a proxy.
    pub allowed_hosts: Vec<String>,
    /// Put before every path, as behind a proxy: empty, or `/lineage`.
    pub path_prefix: String,
    /// What may be sent.
    pub limits: RequestLimits,
    /// Names this owner of the data folder: new at each start.
    pub instance_id: String,
    /// How long a stop waits for answers that are under way.
    pub grace: Duration,
    /// An answer that takes longer is logged as a warning.
    pub slow: Duration,
    /// Where the pages for people come from.
    pub pages: Pages,
    /// The server ends after so long without a request or a viewer; none = it stays.
    pub idle_exit: Option<Duration>,
}

/// What may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// Bytes of a body, as sent.
    pub request_bytes: usize,
    /// Bytes of a body, decompressed.
    pub inflated_bytes: usize,
    /// Bodies that are read and decompressed at the same time.
    pub concurrent_bodies: usize,
}

/// A secret that a caller must know.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The text is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a token has 16 to 512 letters, digits or `-._~+/=`; hint: `openssl rand -hex 32` makes a good one")]
pub struct TokenError;

impl Settings {
    /// A server for this machine alone, on the default port, for everybody on it.
    pub fn local(instance_id: impl Into<String>) -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8000,
            token: None,
            cors_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            path_prefix: String::new(),
            limits: RequestLimits::default(),
            instance_id: instance_id.into(),
            grace: Duration::from_secs(3),
            slow: Duration::from_secs(1),
            pages: Pages::None,
            idle_exit: None,
        }
    }

    /// Whether the address is this machine's own, so that `Host` and `Origin` tell a browser that was lured
    /// here by a foreign page.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback_name(&self.host)
    }

    pub(crate) fn wire_limits(&self) -> Limits {
        Limits {
            request_bytes: self.limits.request_bytes as u64,
            inflated_bytes: self.limits.inflated_bytes as u64,
            events: limits::BATCH_EVENTS as u64,
            event_bytes: limits::EVENT_BYTES as u64,
            id_bytes: limits::ID_BYTES as u64,
            name_bytes: limits::NAME_BYTES as u64,
            page_default: PAGE_DEFAULT as u64,
            page_max: PAGE_MAX as u64,
            replay_events: REPLAY_EVENTS,
            snapshot_rows: SNAPSHOT_ROWS as u64,
            lost_after: graflow_lineage::liveness::LOST_AFTER_US.unsigned_abs() / 1_000_000,
        }
    }
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self { request_bytes: 16 << 20, inflated_bytes: 64 << 20, concurrent_bodies: 8 }
    }
}

/// Whether a host, without its port, is this machine itself.
pub(crate) fn is_loopback_name(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Token {
    /// Takes a token, without the white space around it.
    ///
    /// # Errors
    /// When it is too short to be a secret, or has characters that a header cannot carry.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        let fits = (16..=512).contains(&text.len()) && text.bytes().all(allowed);
        fits.then(|| Self(text.to_owned())).ok_or(TokenError)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether a caller knows it, in a time that does not depend on how much of it they know.
    pub(crate) fn matches(&self, candidate: &[u8]) -> bool {
        let secret = self.0.as_bytes();
        let differences = secret.iter().zip(candidate).fold(0, |all, (a, b)| all | (a ^ b));
        std::hint::black_box(differences) == 0 && secret.len() == candidate.len()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        assert!(Token::new("too short").is_err());
        assert!(Token::new("with spaces in between").is_err());
        let token = Token::new(" 0123456789abcdef\n").unwrap();
        assert!(token.matches(b"0123456789abcdef"));
        assert!(!token.matches(b"0123456789abcdeF"));
        assert!(!token.matches(b"0123456789abcdef0"));
        assert!(!token.matches(b""));
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn loopback() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "[::1]", "::1"] {
            assert!(is_loopback_name(host), "{host}");
        }
        for host in ["0.0.0.0", "::", "example.org", "localhost.example.org", "127.0.0.1.example.org", ""] {
            assert!(!is_loopback_name(host), "{host}");
        }
    }
}
