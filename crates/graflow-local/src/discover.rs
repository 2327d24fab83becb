//! Finding the server. It says itself where it is; no port is ever probed.

use std::time::Duration;

use graflow_client::{Client, Endpoint, EndpointError, Query, environment};

use crate::folder::DataFolder;
use crate::ownership::owner;

/// A server on this machine that does not answer within this time is not there.
const PATIENCE: Duration = Duration::from_secs(2);

/// The server that `GRAFLOW_LINEAGE_URL` names, else the owner of the folder, if it is one and it answers.
///
/// What the environment names is taken at its word; what `server.json` names must say the same instance id, so that
/// another program that came to the same port is not taken for it.
pub async fn discover(folder: &DataFolder) -> Result<Option<Endpoint>, EndpointError> {
    match Endpoint::from_environment() {
        Some(endpoint) => endpoint.map(Some),
        None => Ok(discover_owner(folder).await),
    }
}

/// The owner of the folder, if it is a server and it answers.
pub async fn discover_owner(folder: &DataFolder) -> Option<Endpoint> {
    let owner = owner(folder)?;
    let endpoint = Endpoint::parse(owner.url.as_deref()?).ok()?;
    let endpoint = endpoint.with_token(environment::variable(environment::TOKEN));
    let client = Client::to_server(endpoint.clone()).ok()?;
    let server = tokio::time::timeout(PATIENCE, client.server(&Query::new())).await.ok()?;
    match server {
        Ok(server) if server.instance_id == owner.instance_id => Some(endpoint),
        // It is a server of ours that wants a token: whoever asks it next is told so in its own words.
        Err(error) if error.code().is_some() => Some(endpoint),
        _ => None,
    }
}
