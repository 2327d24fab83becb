//! What a fuzzer calls with bytes of its own making: one function for each way into the system.
//!
//! Each panics on what must not be: a panic of the code under it, or an invariant that does not hold. `fuzz/` has a program
//! for each that libFuzzer drives (`cargo xtask fuzz`); what it found lies in `fuzz/corpus` and is run by `cargo test`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a fuzz target says by a panic what it found")]

mod body;
mod event;
mod query;
mod segment;
mod service;
mod socket;
mod spool;

use service::Service;

/// A way in: its name, and what is done with the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 6] = [
    ("event", event::run),
    ("body", body::run),
    ("query", query::run),
    ("segment", segment::run),
    ("spool", spool::run),
    ("socket", socket::run),
];

/// Runs a target by its name, as the programs in `fuzz/` do.
///
/// # Panics
/// When the input breaks something: that is what it is for.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(own, _)| *own == name);
    let (_, run) = target.unwrap_or_else(|| panic!("no fuzz target is called {name}"));
    run(data);
}

/// Appends `data` to a file in one of three ways, which its first byte chooses: alone, behind `start`, or behind `start` and in
/// frames that are sound, so that what lies behind the checksum is reached too.
fn file(start: &[u8], data: &[u8]) -> Vec<u8> {
    let Some((&how, rest)) = data.split_first() else { return Vec::new() };
    if how % 4 == 0 {
        return rest.to_vec();
    }
    let mut bytes = start.to_vec();
    if how % 4 == 1 {
        bytes.extend_from_slice(rest);
    } else {
        // A frame ends at this mark.
        for payload in rest.split(|byte| *byte == 0xfe).filter(|payload| !payload.is_empty()) {
            graflow_model::frame::encode(payload, &mut bytes).unwrap();
        }
    }
    bytes
}
