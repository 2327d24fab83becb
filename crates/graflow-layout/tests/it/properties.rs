//! Laid out anew.

use graflow_layout::layout;
use proptest::prelude::*;

use crate::checks::{covered, faults, flat, nested};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_flat_picture_has_no_fault(draft in flat(16)) {
        let graph = draft.graph();
        let picture = layout(&graph, None);
        prop_assert_eq!(faults(&graph, &picture), Vec::<String>::new());
        prop_assert_eq!(covered(&graph, &picture), Vec::<String>::new());
    }

    #[test]
    fn frames_hold_their_members(draft in nested()) {
        let graph = draft.graph();
        prop_assert_eq!(faults(&graph, &layout(&graph, None)), Vec::<String>::new());
    }

    #[test]
    fn the_same_graph_gives_the_same_picture(draft in nested()) {
        prop_assert_eq!(layout(&draft.graph(), None), layout(&draft.graph(), None));
    }
}
