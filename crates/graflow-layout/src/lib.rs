//! Where the nodes and edges of a task graph stand, so that a person can read it.
//!
//! [`layout`] is pure and deterministic: the same [`Graph`] and the same previous [`Picture`] give the same picture. Without a
//! previous picture the graph is laid out anew; with one, what stands keeps its place where it can, and new nodes are
//! fitted in. It knows nothing of workflows, files or screens: sizes come in, positions and curves come out.
//!
//! The way of a fresh layout is that of Sugiyama: turn back edges round, put nodes into layers, order the layers
//! so that few edges cross, give coordinates, draw the edges. Each step is a module of `flow`.
//!
//! ```
//! use graflow_layout::{Edge, Graph, Node, layout};
//!
//! let nodes = vec![Node::card("extract", 208.0, 64.0), Node::card("load", 208.0, 64.0)];
//! let graph = Graph::new(nodes, vec![Edge { source: 0, target: 1 }])?;
//! let picture = layout(&graph, None);
//! assert!(picture.nodes[0].right() < picture.nodes[1].x);
//! assert!(!picture.edges[0].is_back);
//! # Ok::<(), graflow_layout::GraphError>(())
//! ```

mod flow;
mod follow;
mod graph;
mod levels;
mod picture;
mod quick;

pub use graph::{Edge, Graph, GraphError, Node, Shape};
pub use levels::layout;
pub use picture::{Picture, Point, Rect, Route};
