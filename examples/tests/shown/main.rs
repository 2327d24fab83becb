//! What the project promises to show, on the real programs: the examples, `graflow`, its REST interface and its
//! WebSocket. Programs are killed and stopped for real; every test has a folder and a port of its own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so")]

mod alive_or_lost;
mod at_once;
mod faulty_folders;
mod killed_server;
mod refused_requests;
mod run_and_show;
mod run_command;
mod search;
mod support;
mod without_server;
