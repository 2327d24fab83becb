//! Everything that is answered, in one list.

use std::any::Any;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use graflow_lineage::manager::LineageManager;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, SecurityRequirement};
use utoipa::{Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::middleware::{add_security_headers, cors, log_request, require_known_host, require_token};
use crate::routes::{
    analysis, comparison, data, delete_execution, delete_executions, event_log, execution_detail,
    execution_graph, execution_list, failures, findings, graph_current, health, layout, layout_picture, llm,
    llm_calls, logs, metrics_series, metrics_summary, post_events, prometheus, ready, search, server,
    session_ticket, task_execution, task_executions, task_history, timeline, workflow_detail, workflow_list,
    workflow_profile,
};
use crate::settings::Settings;
use crate::state::Api;
use crate::{documentation, web, ws};

/// The whole service. It may also be asked in-process, without a server, as a tower service.
pub fn router(manager: Arc<LineageManager>, settings: Settings) -> Router {
    service(&Api::new(manager, settings, CancellationToken::new()))
}

/// The contract of what [`router`] answers.
pub fn openapi() -> OpenApi {
    paths().1
}

/// What needs the token, if there is one; and what does not.
fn protected() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(post_events::post_events))
        .routes(routes!(graph_current::get_current_graph))
        .routes(routes!(execution_list::list_executions))
        .routes(routes!(delete_executions::delete_executions))
        .routes(routes!(execution_detail::get_execution, delete_execution::delete_execution))
        .routes(routes!(execution_graph::get_execution_graph))
        .routes(routes!(layout::get_layout))
        .routes(routes!(layout_picture::get_layout_picture))
        .routes(routes!(analysis::get_analysis))
        .routes(routes!(comparison::compare_executions))
        .routes(routes!(task_executions::list_task_executions))
        .routes(routes!(timeline::get_timeline))
        .routes(routes!(data::get_data))
        .routes(routes!(findings::get_findings))
        .routes(routes!(logs::get_logs))
        .routes(routes!(llm::get_llm_use))
        .routes(routes!(llm_calls::get_llm_calls))
        .routes(routes!(event_log::get_events))
        .routes(routes!(task_execution::get_task_execution))
        .routes(routes!(task_history::get_task_history))
        .routes(routes!(workflow_list::list_workflows))
        .routes(routes!(workflow_detail::get_workflow))
        .routes(routes!(workflow_profile::get_workflow_profile))
        .routes(routes!(failures::list_failures))
        .routes(routes!(metrics_summary::get_metrics_summary))
        .routes(routes!(metrics_series::get_metrics_series))
        .routes(routes!(search::search))
        .routes(routes!(server::get_server))
        .routes(routes!(prometheus::get_prometheus_metrics))
        .routes(routes!(session_ticket::issue_ticket))
        .routes(routes!(ws::follow))
}

fn open() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(health::get_health)).routes(routes!(ready::get_ready))
}

pub(crate) fn service(api: &Api) -> Router {
    let (protected, open, openapi) = split();
    let page: Arc<str> = documentation::reference_page(&openapi).into();
    let openapi = Arc::new(with_prefix(openapi, &api.settings.path_prefix));
    let protected = protected.layer(axum::middleware::from_fn_with_state(api.clone(), require_token));
    let router = open
        .merge(protected)
        .route("/", get(web::page))
        .route("/executions/{id}", get(web::page_or_redirect))
        .merge(pages(&api.settings))
        .route("/openapi.json", get(move || async move { Json(openapi).into_response() }))
        .route("/docs", get(move || async move { axum::response::Html(page.to_string()) }))
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .with_state(api.clone());
    let router = match api.settings.path_prefix.as_str() {
        "" => router,
        prefix => {
            // A nested `/` answers without the slash; addresses of pages are relative to the one with it.
            let root = Router::new().route(&format!("{prefix}/"), get(web::page)).with_state(api.clone());
            root.nest(prefix, router).fallback(nothing_here)
        }
    };
    // The last layer is the first that a request meets.
    router
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn_with_state(api.clone(), require_known_host))
        .layer(cors(&api.settings))
        .layer(axum::middleware::from_fn(add_security_headers))
        .layer(axum::middleware::from_fn_with_state(api.clone(), log_request))
}

/// The addresses of the pages, as `web/src/router/route.ts` has them; none where there are no pages.
fn pages(settings: &Settings) -> Router<Api> {
    if !web::has_pages(&settings.pages) {
        return Router::new();
    }
    let addresses = [
        "/executions",
        "/workflows",
        "/workflows/{name}",
        "/workflows/{name}/profile",
        "/tasks/{id}",
        "/help",
    ];
    let router = addresses.into_iter().fold(Router::new(), |router, path| router.route(path, get(web::page)));
    let router = router.route("/session", post(web::sign_in));
    router.route("/icon.svg", get(web::file_in_root)).route("/assets/{name}", get(web::file_in_assets))
}

fn paths() -> (Router<Api>, OpenApi) {
    let (protected, open, openapi) = split();
    (open.merge(protected), openapi)
}

fn split() -> (Router<Api>, Router<Api>, OpenApi) {
    let (protected, of_protected) =
        OpenApiRouter::with_openapi(Description::openapi()).merge(protected()).split_for_parts();
    let (open, of_open) = open().split_for_parts();
    let mut openapi = of_protected;
    openapi.merge(of_open);
    (protected, open, openapi)
}

fn with_prefix(mut openapi: OpenApi, prefix: &str) -> OpenApi {
    let url = if prefix.is_empty() { "/" } else { prefix };
    openapi.servers = Some(vec![utoipa::openapi::Server::new(url)]);
    openapi
}

async fn nothing_here() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "no_such_path",
        "there is nothing at this path",
        "/docs lists every path",
    )
}

async fn other_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this path does not take that method",
        "/docs lists the methods of every path",
    )
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::internal().into_response()
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Graflow Lineage",
        description = "What workflows really did: every task execution, every edge taken, every value written and read.\n\nDurations are seconds, times RFC 3339 in UTC with microseconds. Lists are paged: `limit`, and `next_cursor` of the page before as `cursor`. Every answer says in `as_of_seq` up to which event it is. Errors have one shape: `error`, `code`, `hint`. A field is never renamed; fields may be added.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "events", description = "The one door in."),
        (name = "live", description = "Changes as they happen."),
        (name = "executions", description = "Runs of workflows."),
        (name = "graph", description = "The task graph."),
        (name = "tasks", description = "Task executions, over all runs."),
        (name = "workflows", description = "Workflows, over all their runs."),
        (name = "metrics", description = "Counts and durations."),
        (name = "server", description = "The server itself."),
    ),
    components(schemas(
        graflow_wire::Message,
        graflow_wire::Hello,
        graflow_wire::EventDelta,
        graflow_wire::Ping,
        graflow_wire::Resync,
        graflow_wire::LivenessChange,
    )),
    modifiers(&BearerToken),
)]
struct Description;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, openapi: &mut OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
        // Either of the two: a server may have no token.
        let none = SecurityRequirement::default();
        openapi.security = Some(vec![none, SecurityRequirement::new::<_, [&str; 0], &str>("token", [])]);
    }
}
