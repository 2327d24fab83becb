//! A graph that has grown: what stands keeps its place.

use crate::flow::{Drawn, Flow};
use crate::picture::{Rect, Route};

/// What is known from the picture before.
#[derive(Debug, Clone)]
pub(crate) struct Before {
    /// Where the boxes stood, those that were there.
    pub(crate) boxes: Vec<Option<Rect>>,
    /// How the edges ran, those that were there.
    pub(crate) routes: Vec<Option<Route>>,
}

/// None: it has to be laid out anew.
pub(crate) fn follow(_: Flow<'_>, _: &Before) -> Option<Drawn> {
    None
}
