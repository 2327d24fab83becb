//! What grows with the graph is told in parts, none of which comes near the largest event.

use std::iter::Peekable;

use graflow_model::limits::EVENT_BYTES;
use serde::Serialize;

/// Most things in one part: a viewer gets it at once.
const PART_ITEMS: usize = 1_000;

/// Most bytes in one part, which leaves room for the names around it.
const PART_BYTES: usize = EVENT_BYTES / 2;

/// How full a part is.
#[derive(Debug, Default)]
pub(super) struct Part {
    items: usize,
    bytes: usize,
}

impl Part {
    /// Takes what fits; the first of a part always does.
    pub(super) fn fill<T: Serialize>(&mut self, items: &mut Peekable<impl Iterator<Item = T>>) -> Vec<T> {
        let mut taken = Vec::new();
        while let Some(item) = items.next_if(|item| self.has_room_for(item)) {
            taken.push(item);
        }
        taken
    }

    fn has_room_for(&mut self, item: &impl Serialize) -> bool {
        let bytes = serde_json::to_vec(item).map_or(0, |json| json.len());
        if self.items > 0 && (self.items >= PART_ITEMS || self.bytes + bytes > PART_BYTES) {
            return false;
        }
        self.items += 1;
        self.bytes += bytes;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(items: Vec<String>) -> Vec<usize> {
        let mut items = items.into_iter().peekable();
        let mut lengths = Vec::new();
        while items.peek().is_some() {
            lengths.push(Part::default().fill(&mut items).len());
        }
        lengths
    }

    #[test]
    fn by_number_and_by_bytes() {
        assert_eq!(lengths(vec![String::new(); 2_500]), [1_000, 1_000, 500]);
        assert_eq!(lengths(vec!["x".repeat(PART_BYTES / 2 - 2); 3]), [2, 1]);
        assert_eq!(lengths(vec!["x".repeat(2 * PART_BYTES); 2]), [1, 1]);
        assert_eq!(lengths(Vec::new()), [0; 0]);
    }
}
