//! What stands behind the question mark: filters, limits, moments in time, cursors; and ids in paths.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt as _;

use super::Service;

/// Everything that is read with parameters; `*` is an id, which may be the fuzzer's.
const PATHS: [&str; 24] = [
    "/api/executions",
    "/api/graph/current",
    "/api/executions/*",
    "/api/executions/*/graph",
    "/api/executions/*/data",
    "/api/executions/*/events",
    "/api/executions/*/task_executions",
    "/api/executions/*/timeline",
    "/api/executions/*/findings",
    "/api/executions/*/logs",
    "/api/executions/*/layout",
    "/api/executions/*/layout.svg",
    "/api/executions/*/analysis",
    "/api/task_executions/*",
    "/api/tasks/*/history",
    "/api/workflows",
    "/api/workflows/*",
    "/api/workflows/*/profile",
    "/api/failures",
    "/api/metrics/summary",
    "/api/metrics/series",
    "/api/search",
    "/api/server",
    "/ws/lineage",
];

/// Lists whose first page goes on: a cursor of each, without the place that it names.
static CURSORS: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    let lists = [
        "/api/executions?limit=1&",
        "/api/executions/run-1/events?limit=1&",
        "/api/workflows?limit=1&",
        "/api/executions/run-1/task_executions?limit=1&",
        "/api/tasks/load/history?limit=1&",
    ];
    let found = lists.into_iter().map(|list| {
        let (status, text) = get(list.trim_end_matches('&'));
        let page: serde_json::Value = serde_json::from_str(&text).unwrap();
        let cursor = page["next_cursor"].as_str().unwrap_or_else(|| panic!("{list}: {status} {text}"));
        (list, cursor[..17].to_owned())
    });
    found.collect()
});

/// Whatever is asked, the answer is one for the asker and never the server's fault.
pub(super) fn run(data: &[u8]) {
    let [path, id, rest @ ..] = data else { return };
    let target = if *id == b'c' {
        let (list, cursor) = &CURSORS[usize::from(*path) % CURSORS.len()];
        format!("{list}cursor={cursor}{}", escaped(rest))
    } else {
        let path = PATHS[usize::from(*path) % PATHS.len()];
        let (id, query) = match id {
            b'i' => {
                let mut parts = rest.splitn(2, |byte| *byte == b'?');
                (
                    escaped(parts.next().unwrap_or_default()).replace('/', "%2F"),
                    parts.next().unwrap_or_default(),
                )
            }
            b't' => ("load".to_owned(), rest),
            b'w' => ("etl".to_owned(), rest),
            _ => ("run-1".to_owned(), rest),
        };
        format!("{}?{}", path.replace('*', &id), escaped(query))
    };
    if target.len() > 8_000 {
        return;
    }
    let (status, text) = get(&target);
    assert!(status < 500, "{target}: {status} {text}");
    assert!(status < 400 || text.contains("\"error\""), "{target}: {status} {text}");
}

/// Bytes that may not stand in an address are written as `%XX`.
fn escaped(bytes: &[u8]) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~&=%+/:,;@!$'()*".contains(&byte);
    bytes
        .iter()
        .map(|&byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn get(target: &str) -> (u16, String) {
    let service = Service::shared();
    let request = Request::get(target).header("host", "127.0.0.1:8000").body(Body::empty()).unwrap();
    service.runtime.block_on(async {
        let response = service.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8_lossy(&body).into_owned())
    })
}
