//! Over generated graphs: every task runs exactly as often as it should, in an order that the edges agree with, and
//! nothing runs after the end.

use std::collections::{BTreeMap, BTreeSet};

use graflow::prelude::*;
use proptest::prelude::*;

use crate::script::{Script, step};

/// Edges between numbered tasks; an edge may lead back.
#[derive(Debug, Clone)]
struct Shape {
    tasks: usize,
    edges: BTreeSet<(usize, usize)>,
}

impl Shape {
    fn workflow(&self) -> Workflow {
        let mut workflow = Workflow::empty("generated");
        for task in 0..self.tasks {
            workflow.add_node(step().named(name(task))).unwrap();
        }
        for (from, to) in &self.edges {
            workflow.add_edge(name(*from), name(*to)).unwrap();
        }
        workflow
    }

    fn predecessors(&self, task: usize) -> impl Iterator<Item = usize> {
        self.edges.iter().filter(move |(_, to)| *to == task).map(|(from, _)| *from)
    }
}

fn name(task: usize) -> String {
    format!("t{task}")
}

/// A graph whose edges lead from lower to higher numbers.
fn acyclic() -> impl Strategy<Value = Shape> {
    (1..14_usize).prop_flat_map(|tasks| {
        proptest::collection::btree_set((0..tasks, 0..tasks), 0..=tasks * 2).prop_map(move |edges| {
            let forward = edges.into_iter().filter(|(one, other)| one != other);
            Shape { tasks, edges: forward.map(|(one, other)| (one.min(other), one.max(other))).collect() }
        })
    })
}

/// What each task does: by its number, an action out of these.
fn script(actions: &'static [&'static str]) -> impl Strategy<Value = BTreeMap<usize, &'static str>> {
    proptest::collection::btree_map(0..14_usize, proptest::sample::select(actions), 0..6)
}

fn run(
    shape: &Shape,
    actions: &BTreeMap<usize, &str>,
    set_up: impl Fn(graflow::Execute) -> graflow::Execute,
    threads: bool,
) -> (graflow::Run, Vec<usize>) {
    let text: Vec<String> =
        actions.iter().map(|(task, action)| format!("{}: {action}", name(*task))).collect();
    let script = Script::parse(&text.join(";"));
    let mut builder = if threads {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2);
        builder
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = builder.enable_all().build().unwrap();
    let workflow = shape.workflow();
    let run = runtime.block_on(async { set_up(workflow.execute().resource(script.clone())).await }).unwrap();
    let trace = script.trace().iter().map(|task| task[1..].parse().unwrap()).collect();
    (run, trace)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_task_runs_once_after_all_its_predecessors(
        shape in acyclic(),
        actions in script(&["done", "sleep 1", "again, again", "fail", "fail, fail"]),
        threads: bool,
    ) {
        let retry = RetryPolicy::new(2);
        let (run, trace) = run(&shape, &actions, |execute| execute.default_retry(retry), threads);
        prop_assert_eq!(run.status(), ExecutionStatus::Completed);
        for task in 0..shape.tasks {
            let times = trace.iter().filter(|ran| **ran == task).count();
            let expected = match actions.get(&task) {
                Some(&("again, again" | "fail, fail")) => 3,
                Some(&"fail") => 2,
                _ => 1,
            };
            prop_assert_eq!(times, expected, "t{} in {:?}", task, trace);
            let first = trace.iter().position(|ran| *ran == task).unwrap();
            for before in shape.predecessors(task) {
                let last = trace.iter().rposition(|ran| *ran == before).unwrap();
                prop_assert!(last < first, "t{} before t{}: {:?}", before, task, trace);
            }
        }
    }

    #[test]
    fn what_a_jump_leaves_out_is_skipped_and_the_rest_runs_once(
        shape in acyclic(),
        (from, to) in (0..14_usize, 0..14_usize),
    ) {
        let (from, to) = (from % shape.tasks, to % shape.tasks);
        prop_assume!(from < to);
        let jump = format!("jump {}", name(to));
        let (run, trace) = run(&shape, &BTreeMap::from([(from, jump.as_str())]), |execute| execute, false);
        prop_assert_eq!(run.status(), ExecutionStatus::Completed);
        // In the order of numbers, which the edges agree with: a task runs if something that runs leads to it.
        let mut runs = vec![false; shape.tasks];
        for task in 0..shape.tasks {
            let mut led = shape.predecessors(task).peekable();
            let starts = led.peek().is_none();
            let led_here = led.any(|before| runs[before] && before != from);
            runs[task] = starts || led_here || (task == to && runs[from]);
        }
        for (task, runs) in runs.into_iter().enumerate() {
            let times = trace.iter().filter(|ran| **ran == task).count();
            // The target may have begun before it was jumped to: then it runs once more.
            let at_most = if task >= to { 2 } else { 1 };
            prop_assert!(if runs { (1..=at_most).contains(&times) } else { times == 0 }, "t{} in {:?}", task, trace);
            let status = run.task(&name(task)).unwrap().status;
            prop_assert_eq!(status, if runs { TaskStatus::Completed } else { TaskStatus::Skipped });
        }
    }

    #[test]
    fn nothing_begins_after_a_cancellation(shape in acyclic(), stops in 0..14_usize, threads: bool) {
        let stops = stops % shape.tasks;
        let (run, trace) = run(&shape, &BTreeMap::from([(stops, "cancel")]), |execute| execute.max_parallel(1), threads);
        prop_assert_eq!(run.status(), ExecutionStatus::Cancelled);
        prop_assert_eq!(trace.last(), Some(&stops));
        for task in 0..shape.tasks {
            let status = run.task(&name(task)).unwrap().status;
            let expected = match (task == stops, trace.contains(&task)) {
                (true, _) => TaskStatus::Cancelled,
                (false, true) => TaskStatus::Completed,
                (false, false) => TaskStatus::Skipped,
            };
            prop_assert_eq!(status, expected, "t{}", task);
        }
    }

    #[test]
    fn any_graph_ends(
        tasks in 1..8_usize,
        edges in proptest::collection::btree_set((0..8_usize, 0..8_usize), 0..20),
        actions in script(&["fail", "again", "jump t0", "jump t3, jump t0", "terminate", "sleep 1"]),
        cycles in 1..4_u32,
        threads: bool,
    ) {
        let edges = edges.into_iter().filter(|(from, to)| *from < tasks && *to < tasks && from != to).collect();
        let shape = Shape { tasks, edges };
        let (run, trace) =
            run(&shape, &actions, |execute| execute.default_max_cycles(cycles).max_steps(300), threads);
        prop_assert!(run.steps() <= 300);
        // What is cancelled on another thread may not have begun.
        prop_assert!(trace.len() as u64 <= run.steps() && (threads || trace.len() as u64 == run.steps()));
        for task in run.tasks() {
            prop_assert!(task.status.is_ended(), "{:?}", run);
        }
    }
}
