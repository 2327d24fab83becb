//! A WebSocket to the server, plain or in TLS.

use std::fmt::Debug;
use std::sync::Arc;

use graflow_wire::ErrorBody;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Error};

use crate::client::{ClientError, Query};
use crate::endpoint::Endpoint;

/// The longest message taken; a snapshot of 2,000 rows is far below.
const MESSAGE_BYTES: usize = 256 << 20;

pub(super) trait Stream: AsyncRead + AsyncWrite + Debug + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Debug + Unpin + Send> Stream for T {}

pub(super) type Socket = WebSocketStream<Box<dyn Stream>>;

/// Connects; nothing has been read yet.
pub(super) async fn connect(endpoint: &Endpoint, query: &Query) -> Result<Socket, ClientError> {
    let unreachable = |reason: String| ClientError::Unreachable { address: endpoint.to_string(), reason };
    let mut url = endpoint.url(&format!("/ws/lineage{query}"));
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    let scheme = if endpoint.is_tls() { "wss" } else { "ws" };
    url.set_scheme(scheme).map_err(|()| ClientError::Setup(format!("no address for {scheme}")))?;

    let mut request =
        url.as_str().into_client_request().map_err(|error| ClientError::Setup(error.to_string()))?;
    if let Some(token) = endpoint.token() {
        let value = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| ClientError::Setup("the token holds what a header must not".into()))?;
        request.headers_mut().insert(AUTHORIZATION, value);
    }

    let tcp = TcpStream::connect((host.as_str(), port)).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::ConnectionRefused => {
            unreachable("nothing listens there (connection refused)".into())
        }
        _ => unreachable(error.to_string()),
    })?;
    // Deltas are small and should not wait for each other.
    let _ = tcp.set_nodelay(true);
    let stream: Box<dyn Stream> = if endpoint.is_tls() {
        Box::new(encrypt(tcp, host).await.map_err(unreachable)?)
    } else {
        Box::new(tcp)
    };
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(MESSAGE_BYTES);
    config.max_frame_size = Some(MESSAGE_BYTES);
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(refused(endpoint, &response)),
        Err(error) => Err(unreachable(error.to_string())),
    }
}

async fn encrypt(tcp: TcpStream, host: String) -> Result<impl Stream, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| error.to_string())?
        .with_no_client_auth();
    let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect(name, tcp).await.map_err(|error| error.to_string())
}

/// The server said no before the stream began.
fn refused(endpoint: &Endpoint, response: &tungstenite::http::Response<Option<Vec<u8>>>) -> ClientError {
    let status = response.status();
    let body = response.body().as_deref().unwrap_or_default();
    match serde_json::from_slice::<ErrorBody>(body) {
        Ok(body) => ClientError::Refused { status, body },
        Err(_) => {
            ClientError::NotLineage { address: endpoint.to_string(), reason: format!("status {status}") }
        }
    }
}
