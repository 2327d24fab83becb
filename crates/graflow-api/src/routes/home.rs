use axum::extract::State;
use axum::http::Uri;
use axum::response::{Html, Redirect};

use crate::documentation;
use crate::state::Api;

/// What runs here, for whoever opens the address in a browser.
pub(crate) async fn home(State(api): State<Api>) -> Html<String> {
    Html(documentation::home_page(&api.settings))
}

/// Where programs and commands send people to look at an execution. As long as there are no pages, that is
/// what REST says of it.
pub(crate) async fn execution(State(api): State<Api>, uri: Uri) -> Redirect {
    Redirect::to(&format!("{}/api{}", api.settings.path_prefix, uri.path()))
}
