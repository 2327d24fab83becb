//! A run as a tree in text: what ran, in which order, how long, and how it ended.
//!
//! [`Picture::tree`] arranges nodes (pure, no terminal), [`summary`] makes thousands of them a screenful, [`render`]
//! draws the lines. A graph is no tree: a member stands under its group, a task that was added while running under the
//! task that added it; where a row does not follow the one above it, a note says what it follows.

mod arrange;
mod item;
mod render;
mod summary;

pub(crate) use arrange::Picture;
pub(crate) use item::Item;
pub(crate) use render::{Extent, render};
pub(crate) use summary::{only_failed, summarise};
