//! A join runs once: when no forward predecessor can still run and one completed.

use crate::script::{check, table};

#[test]
fn once_for_all_that_lead_there() {
    table(&[
        ("a", "", "completed: a"),
        ("a >> b >> c", "", "completed: a b c"),
        ("a >> (b | c) >> d", "", "completed: a b c d"),
        ("(a | b) >> c", "", "completed: a b c"),
        ("a >> (b >> c | d) >> e", "", "completed: a b d c e"),
        // The long way counts, also where there is a short one.
        ("a >> (b >> c >> d | e) >> f", "b: sleep 10; e: done", "completed: a b e c d f"),
        ("(a | b) >> (c | d) >> (e | f)", "", "completed: a b c d e f"),
        ("a >> (b | c) >> d >> (e | f) >> g", "", "completed: a b c d e f g"),
    ]);
}

#[test]
fn all_without_forward_predecessors_start() {
    table(&[("(a | b | c)", "", "completed: a b c"), ("(a >> b | c)", "", "completed: a c b")]);
}

#[test]
fn what_is_slow_is_waited_for() {
    table(&[
        ("a >> (b | c) >> d", "b: sleep 50", "completed: a b c d"),
        ("(a | b >> c) >> d", "a: sleep 50; c: sleep 10", "completed: a b c d"),
    ]);
}

#[test]
fn a_jump_skips_its_own_successors_and_what_can_no_longer_run() {
    table(&[
        ("a >> b >> c", "a: jump c", "completed: a c; skipped: b"),
        ("a >> (b | c) >> d", "b: jump d", "completed: a b c d"),
        ("a >> (b >> x | c) >> d", "b: jump d", "completed: a b c d; skipped: x"),
        ("a >> (b >> x | c >> y) >> d", "b: jump d; c: jump d", "completed: a b c d; skipped: x y"),
        // What is to run anyway is not run once more.
        ("(a >> b >> c | d)", "a: jump d", "completed: a d; skipped: b c"),
        ("(a >> b >> c | d)", "a: sleep 5, done; b: jump d", "completed: a d b d; skipped: c"),
    ]);
}

#[test]
fn the_same_task_in_two_places_is_one_task() {
    assert_eq!(check("(a >> c | b >> c)", ""), "completed: a b c");
}

#[test]
fn only_what_is_reached_from_the_start_runs() {
    let ran = crate::script::run("(a >> b >> c | d)", "", |execute| execute.start("b"));
    assert_eq!(crate::script::told(&ran), "completed: b c; skipped: a d");
}
