//! What a program hands to a producer.

use graflow_model::{Event, ExecutionId};

/// Bytes that an event takes beyond its `data`, roughly.
const EVENT_OVERHEAD: usize = 640;

/// Turns what a program hands in into events, on the producer's thread: so the program can hand in whatever is cheapest
/// for it to make.
pub trait Source: Send + 'static {
    /// What is handed in.
    type Item: Send + 'static;

    /// Bytes that it takes in memory, roughly.
    fn bytes(item: &Self::Item) -> usize;

    /// The execution that it belongs to: where a note says so if it has to be dropped.
    fn execution_id(item: &Self::Item) -> Option<&ExecutionId>;

    /// Adds its events to `events`. Items come in the order in which each thread handed them in.
    fn translate(&mut self, item: Self::Item, events: &mut Vec<Event>);
}

/// Events, as they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Events;

impl Source for Events {
    type Item = Event;

    fn bytes(event: &Event) -> usize {
        event.data.get().len() + EVENT_OVERHEAD
    }

    fn execution_id(event: &Event) -> Option<&ExecutionId> {
        event.execution_id.as_ref()
    }

    fn translate(&mut self, event: Event, events: &mut Vec<Event>) {
        events.push(event);
    }
}
