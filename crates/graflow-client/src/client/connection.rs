//! The seam below the typed methods: a server over HTTP, or an API in the same process.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{Request, Response};

use super::error::ClientError;
use crate::endpoint::{Endpoint, http_client};
use crate::http_transport::reason;

/// How long a question may take. The longest are exports and deletions of much.
const TIMEOUT: Duration = Duration::from_mins(2);

/// An answer that is on its way.
pub type Responding<'a> = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, ClientError>> + Send + 'a>>;

/// Takes a request whose address is path and query only, and answers it in full.
///
/// Whoever has the API in the same process implements it by handing the request to the router.
pub trait Connection: Debug + Send + Sync {
    /// Asks.
    fn call(&self, request: Request<Vec<u8>>) -> Responding<'_>;
    /// What stands in errors as the place that was asked.
    fn address(&self) -> String;
}

/// A server over HTTP.
#[derive(Debug)]
pub struct HttpConnection {
    endpoint: Endpoint,
    http: reqwest::Client,
}

impl HttpConnection {
    /// A connection to that server; nothing is sent yet.
    pub fn new(endpoint: Endpoint) -> Result<Self, ClientError> {
        let http =
            http_client(&endpoint, Some(TIMEOUT)).map_err(|error| ClientError::Setup(reason(&error)))?;
        Ok(Self { endpoint, http })
    }
}

impl Connection for HttpConnection {
    fn call(&self, request: Request<Vec<u8>>) -> Responding<'_> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            let mut outgoing =
                self.http.request(parts.method, self.endpoint.url(path)).headers(parts.headers).body(body);
            if let Some(token) = self.endpoint.token() {
                outgoing = outgoing.header(AUTHORIZATION, format!("Bearer {token}"));
            }
            let unreachable = |error: reqwest::Error| {
                if error.is_builder() {
                    return ClientError::Setup(reason(&error));
                }
                ClientError::Unreachable { address: self.address(), reason: reason(&error) }
            };
            let incoming = outgoing.send().await.map_err(unreachable)?;
            let mut response = Response::new(Vec::new());
            *response.status_mut() = incoming.status();
            *response.headers_mut() = incoming.headers().clone();
            *response.body_mut() = incoming.bytes().await.map_err(unreachable)?.to_vec();
            Ok(response)
        })
    }

    fn address(&self) -> String {
        self.endpoint.to_string()
    }
}
