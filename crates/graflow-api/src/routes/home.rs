use axum::extract::State;
use axum::response::Html;

use crate::documentation;
use crate::state::Api;

/// What runs here, for whoever opens the address in a browser.
pub(crate) async fn home(State(api): State<Api>) -> Html<String> {
    Html(documentation::home_page(&api.settings))
}
