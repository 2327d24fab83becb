//! Every parameter that cannot be filled is told at once.

use graflow::prelude::*;

struct Shop;

#[task]
async fn wrong(
    (left, right): (u8, u8),
    changed: &mut Vec<u8>,
    any: impl Send,
    ctx: TaskContext,
    shop: &Res<Shop>,
    named: u8,
    same: u8,
    _same: u8,
    #[iteration] passed: u8,
    #[default] other: u8,
) -> &str {
    "borrowed"
}

struct Method;

impl Method {
    #[task]
    async fn method(&self) {}
}

#[task]
fn generic<T: Send>(value: T) {}

#[task]
async fn no_loop(#[iteration] passed: Option<u8>) -> u8 {
    passed.unwrap_or(0)
}

#[task]
struct NoFunction;

fn main() {}
