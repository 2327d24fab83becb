//! What is to be laid out.

use std::sync::Arc;

/// Nodes and edges, checked to be drawable.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

/// A card, or a frame around other nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Says which node of the previous picture it was.
    pub id: Arc<str>,
    /// What it is drawn as.
    pub shape: Shape,
    /// The frame it is in, by its place in the list of nodes.
    pub frame: Option<usize>,
}

/// What a node is drawn as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// A card of this size.
    Card {
        /// To the right side.
        width: f64,
        /// To the bottom.
        height: f64,
    },
    /// A frame, as large as what is in it.
    Frame,
}

/// A way from one node to another, by their places in the list of nodes. Both may be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Edge {
    /// Where it leaves.
    pub source: usize,
    /// Where it arrives.
    pub target: usize,
}

/// Why something is no graph that can be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// An edge or a frame names a node that is not there.
    #[error("there is no node {0}")]
    NoSuchNode(usize),
    /// A node is in a card.
    #[error("node {0} is in a node that is no frame")]
    NotAFrame(usize),
    /// A frame holds itself.
    #[error("frame {0} is inside of itself")]
    FrameInItself(usize),
    /// A card has no size.
    #[error("node {0} has a size that is not a number from 0 to 1,000,000")]
    BadSize(usize),
}

/// The largest side of a card.
const LARGEST_SIDE: f64 = 1e6;

impl Node {
    /// A card that is in no frame.
    pub fn card(id: impl Into<Arc<str>>, width: f64, height: f64) -> Self {
        Self { id: id.into(), shape: Shape::Card { width, height }, frame: None }
    }

    /// A frame that is in no other.
    pub fn frame(id: impl Into<Arc<str>>) -> Self {
        Self { id: id.into(), shape: Shape::Frame, frame: None }
    }

    /// The same, in the frame at that place in the list of nodes.
    #[must_use]
    pub fn within(self, frame: usize) -> Self {
        Self { frame: Some(frame), ..self }
    }
}

impl Graph {
    /// Checks that it can be drawn. The order of nodes and edges matters: what comes first is drawn further up
    /// where nothing else decides.
    ///
    /// # Errors
    /// When an edge or a frame names a node that is not there, or a frame is inside of itself.
    pub fn new(nodes: Vec<Node>, edges: Vec<Edge>) -> Result<Self, GraphError> {
        let known = |place: usize| {
            if place < nodes.len() { Ok(place) } else { Err(GraphError::NoSuchNode(place)) }
        };
        for edge in &edges {
            known(edge.source)?;
            known(edge.target)?;
        }
        for (place, node) in nodes.iter().enumerate() {
            if let Shape::Card { width, height } = node.shape
                && ![width, height].iter().all(|side| (0.0..=LARGEST_SIDE).contains(side))
            {
                return Err(GraphError::BadSize(place));
            }
            if let Some(frame) = node.frame
                && nodes[known(frame)?].shape != Shape::Frame
            {
                return Err(GraphError::NotAFrame(place));
            }
        }
        // A way up that is longer than there are frames runs in a circle.
        let frames = nodes.iter().filter(|node| node.shape == Shape::Frame).count();
        for (place, node) in nodes.iter().enumerate().filter(|(_, node)| node.shape == Shape::Frame) {
            let above = std::iter::successors(node.frame, |frame| nodes[*frame].frame);
            if above.take(frames + 1).count() > frames {
                return Err(GraphError::FrameInItself(place));
            }
        }
        Ok(Self { nodes, edges })
    }

    /// The nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The edges.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let card = || Node::card("a", 10.0, 10.0);
        let edge = |source, target| Edge { source, target };
        let cases = [
            (vec![card()], vec![edge(0, 1)], GraphError::NoSuchNode(1)),
            (vec![card().within(7)], vec![], GraphError::NoSuchNode(7)),
            (vec![card(), card().within(0)], vec![], GraphError::NotAFrame(1)),
            (vec![Node::frame("f").within(0)], vec![], GraphError::FrameInItself(0)),
            (
                vec![Node::frame("f").within(1), Node::frame("g").within(0)],
                vec![],
                GraphError::FrameInItself(0),
            ),
            (vec![Node::card("a", f64::NAN, 1.0)], vec![], GraphError::BadSize(0)),
            (vec![Node::card("a", 1.0, -1.0)], vec![], GraphError::BadSize(0)),
        ];
        for (nodes, edges, expected) in cases {
            assert_eq!(Graph::new(nodes, edges), Err(expected));
        }
        let nodes = vec![Node::frame("f"), Node::frame("g").within(0), card().within(1)];
        assert!(Graph::new(nodes, vec![edge(2, 2), edge(0, 2)]).is_ok());
    }
}
