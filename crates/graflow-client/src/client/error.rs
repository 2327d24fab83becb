//! Why a question was not answered.

use graflow_wire::ErrorBody;
use http::StatusCode;

use crate::endpoint::EndpointError;

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing answers there.
    #[error("no server answers at {address}: {reason}")]
    Unreachable {
        /// Where.
        address: String,
        /// What was tried and seen.
        reason: String,
    },
    /// The server answered with an error.
    #[error("{}", body.error)]
    Refused {
        /// HTTP's status.
        status: StatusCode,
        /// The server's own words.
        body: ErrorBody,
    },
    /// Something answered that does not speak like our server.
    #[error("what answers at {address} is no graflow lineage server: {reason}")]
    NotLineage {
        /// Where.
        address: String,
        /// What it said.
        reason: String,
    },
    /// The address is none.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The client could not be set up: certificates cannot be loaded, or a token holds what a header must not.
    #[error("the client cannot be set up: {0}")]
    Setup(String),
}

impl ClientError {
    /// What to do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Unreachable { .. } => {
                "start a server with `graflow lineage serve`, or say where one is in GRAFLOW_LINEAGE_URL"
            }
            Self::Refused { body, .. } => &body.hint,
            Self::NotLineage { .. } => "check the address; another program may use that port",
            Self::Endpoint(_) => "give scheme, host and port, such as http://127.0.0.1:8000",
            Self::Setup(_) => "check GRAFLOW_LINEAGE_TOKEN and this machine's certificates",
        }
    }

    /// The server's code for programs, when it was the server who said no.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { body, .. } => Some(&body.code),
            _ => None,
        }
    }

    /// Whether what was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == StatusCode::NOT_FOUND)
    }
}
