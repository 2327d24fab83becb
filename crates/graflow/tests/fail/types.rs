//! What the compiler alone can find stands under the user's own types.

use std::rc::Rc;

use graflow::prelude::*;

struct NotClone;

#[task]
async fn gives() -> NotClone {
    NotClone
}

#[task]
async fn wants_its_own(gives: NotClone) {
    drop(gives);
}

#[task]
async fn not_shared() -> Rc<u8> {
    Rc::new(1)
}

#[task]
async fn other_type(ctx: &TaskContext, #[iteration] passed: Option<u8>) -> Next<u32> {
    let _ = passed;
    ctx.next_iteration(1)
}

#[task]
async fn bound(number: u32) -> u32 {
    number
}

fn main() {
    let _ = bound().number("three");
    gives() >> wants_its_own();
    let _ = gives() >> 7;
}
