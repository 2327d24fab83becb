//! Every wrong option is told at once.

use graflow::prelude::*;

#[task(colour = "red", timeout = "soon", max_retries, name = 7)]
async fn unknown() {}

#[task(name = "one", id = "two", track_lineage = "no", backoff = "5s..1s", timeout("1s"))]
async fn contradictory() {}

#[task(name = " ", backoff = "1s", inject_context = true)]
async fn incomplete(text: &str) {
    drop(text.len());
}

#[task(retry_if = String::is_empty)]
async fn cannot_fail() {}

#[task(timeout = "0s")]
async fn no_time() {}

fn main() {}
