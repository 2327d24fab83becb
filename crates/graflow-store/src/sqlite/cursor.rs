//! Where a page ends: opaque to whoever carries it, and of no use in another project or for another question.

use std::fmt::{Debug, Write as _};

use graflow_lineage::store::Cursor;
use graflow_model::Project;

use super::error::{Result, TableError};

/// The version in front of every cursor, raised when its content changes.
const VERSION: &str = "1";

/// What a cursor is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question(String);

/// The place behind the last row of a page, in the order of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) number: i64,
    pub(crate) text: String,
}

impl Question {
    /// `kind` names the list; `filter` is everything that decides which rows are in it and in which order.
    pub(crate) fn new(project: &Project, kind: &str, filter: &impl Debug) -> Self {
        let hash = blake3::hash(format!("{project:?} {kind} {filter:?}").as_bytes());
        Self(hash.to_hex()[..16].to_owned())
    }

    pub(crate) fn cursor(&self, place: &Place) -> Cursor {
        let mut cursor = format!("{VERSION}{}{:016x}", self.0, place.number);
        for byte in place.text.bytes() {
            // Writing into a string does not fail.
            let _ = write!(cursor, "{byte:02x}");
        }
        Cursor(cursor)
    }

    pub(crate) fn place(&self, cursor: Option<&Cursor>) -> Result<Option<Place>> {
        let Some(Cursor(cursor)) = cursor else { return Ok(None) };
        let place = cursor.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix(&self.0)).and_then(parse);
        place.ok_or(TableError::BadCursor).map(Some)
    }
}

fn parse(text: &str) -> Option<Place> {
    let (number, text) = text.split_at_checked(16)?;
    let number = u64::from_str_radix(number, 16).ok()?.cast_signed();
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let bytes = pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok());
    Some(Place { number, text: String::from_utf8(bytes.collect::<Option<_>>()?).ok()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_come_back(number in any::<i64>(), text in ".*") {
            let question = Question::new(&Project::default(), "list", &"filter");
            let place = Place { number, text };
            prop_assert_eq!(question.place(Some(&question.cursor(&place))).unwrap(), Some(place));
        }

        #[test]
        fn arbitrary_text_is_refused(text in "\\PC*") {
            let question = Question::new(&Project::default(), "list", &"filter");
            prop_assert!(question.place(Some(&Cursor(text))).is_err());
        }
    }

    #[test]
    fn a_cursor_of_another_project_list_or_filter_is_refused() {
        let ours = Question::new(&Project::from("a"), "list", &"filter");
        let cursor = ours.cursor(&Place { number: 1, text: String::new() });
        for other in [
            Question::new(&Project::from("b"), "list", &"filter"),
            Question::new(&Project::from("a"), "other", &"filter"),
            Question::new(&Project::from("a"), "list", &"other"),
        ] {
            assert!(matches!(other.place(Some(&cursor)), Err(TableError::BadCursor)));
        }
    }
}
