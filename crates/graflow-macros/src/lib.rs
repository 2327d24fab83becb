//! The attribute `#[task]`. Its guide stands in the crate `graflow`, where its examples compile.
//!
//! This file only forwards tokens. [`task::expand`] is the whole of it as a plain function: `options` reads the
//! attribute, `parameter` the parameters, `output` the return type; each adds what it finds wrong to one `Errors`,
//! so that a user sees every mistake at once, each where it stands.

mod duration;
mod errors;
mod handle;
mod options;
mod output;
mod parameter;
mod task;

use proc_macro::TokenStream;

/// Turns a function into a task. See `graflow::task`.
#[proc_macro_attribute]
pub fn task(attribute: TokenStream, item: TokenStream) -> TokenStream {
    task::expand(attribute.into(), item.into()).into()
}
