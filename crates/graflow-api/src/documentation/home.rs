use super::html::{escape, page};
use crate::settings::Settings;

/// The page at the root of a server without pages.
pub(crate) fn home_page(settings: &Settings) -> String {
    let prefix = escape(&settings.path_prefix);
    let token = match settings.token {
        Some(_) => " -H \"authorization: Bearer $GRAFLOW_LINEAGE_TOKEN\"",
        None => "",
    };
    let base = format!("http://{}:{}{prefix}", escape(&settings.host), settings.port);
    let body = format!(
        "<main><h1>Graflow Lineage</h1>\
<p>This server records what workflows really did, and answers questions about it.</p>\
<p>Its pages are not built into this program. With Node there, this builds them; then build the program again:</p>\
<pre>cargo xtask web</pre>\
<ul><li><a href=\"{prefix}/docs\">Every path, with its parameters and answers</a></li>\
<li><a href=\"{prefix}/openapi.json\">The same as an OpenAPI document</a></li>\
<li><a href=\"{prefix}/api/executions\">Executions</a>, <a href=\"{prefix}/api/graph/current\">the newest graph</a></li>\
<li><a href=\"{prefix}/metrics\">Metrics for Prometheus</a></li></ul>\
<h2>Send events</h2>\
<p>A Rust program: <code>workflow.execute().sink(Lineage::open_default()?)</code>. Everything else:</p>\
<pre>curl{token} {base}/api/events -H 'content-type: application/json' -d '[\n  \
{{\"event_id\":\"1\",\"type\":\"workflow_started\",\"time\":\"2026-11-23T12:00:00Z\",\"execution_id\":\"first\",\"workflow_name\":\"hello\"}},\n  \
{{\"event_id\":\"2\",\"type\":\"workflow_completed\",\"time\":\"2026-11-23T12:00:01Z\",\"execution_id\":\"first\"}}\n]'</pre>\
<h2>Look at them</h2>\
<pre>curl{token} {base}/api/executions/first\ngraflow lineage show latest</pre></main>"
    );
    page("Graflow Lineage", &body)
}
