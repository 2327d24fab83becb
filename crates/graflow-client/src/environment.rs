//! The environment variables that producers and clients read.

/// Where the server is: `http://host:port`, with a path if it stands behind one.
pub const URL: &str = "GRAFLOW_LINEAGE_URL";
/// The server's bearer token.
pub const TOKEN: &str = "GRAFLOW_LINEAGE_TOKEN";
/// The project that events belong to which are kept in a data folder on this machine. A server is not told: there the
/// project follows from the token, and never from what a producer says of itself.
pub const PROJECT: &str = "GRAFLOW_LINEAGE_PROJECT";
/// The data folder.
pub const DATA_DIR: &str = "GRAFLOW_LINEAGE_DATA_DIR";
/// Labels for every execution: `team=a,env=prod`.
pub const LABELS: &str = "GRAFLOW_LINEAGE_LABELS";

/// A variable that is set and not empty.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
