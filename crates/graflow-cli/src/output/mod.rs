//! How things look: standard output carries data, standard error talk; no meaning rests on colour.

mod progress;
mod quantity;
mod status;
mod table;
mod terminal;
mod text;

pub(crate) use progress::Progress;
pub(crate) use quantity::{age, bytes, count, duration, plural, time_of_day, when};
pub(crate) use status::{execution_mark, task_mark};
pub(crate) use table::{Align, Table, pairs};
pub(crate) use terminal::{ColorChoice, Terminal, Tone};
pub(crate) use text::{clean, cut, pad, width, wrap};
