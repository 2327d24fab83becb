//! The analysis against what is said of it: paths against brute force, the rule for "slower" against seeded history.

use graflow_lineage::analysis::{RunOfProfile, analyse, critical_path, group_failures, profile, usual};
use graflow_model::Timestamp;
use graflow_model::row::{ExecutionRow, TaskExecutionRow};
use serde_json::{Value, json};

fn time(micros: u64) -> Timestamp {
    Timestamp::from_micros(1_795_435_200_000_000 + i64::try_from(micros).unwrap())
}

/// A completed task execution: name, start, duration, the names of its causes.
fn row(name: &str, start: u64, micros: u64, causes: &[&str]) -> TaskExecutionRow {
    row_with(name, start, micros, causes, json!({}))
}

fn row_with(name: &str, start: u64, micros: u64, causes: &[&str], more: Value) -> TaskExecutionRow {
    let causes: Vec<_> =
        causes.iter().map(|cause| json!({"kind": "successor", "task_execution_id": cause})).collect();
    let mut fields = json!({
        "task_execution_id": name, "execution_id": "run", "workflow_name": "w", "task_id": name, "iteration": 0,
        "attempt": 1, "status": "completed", "start_time": time(start), "end_time": time(start + micros),
        "duration": {"micros": micros, "source": "mono"}, "will_retry": false, "causes": causes, "writes": 0,
        "reads": 0,
        "llm": {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "duration_us": 0},
    });
    let Value::Object(more) = more else { panic!("fields expected") };
    fields.as_object_mut().unwrap().extend(more);
    serde_json::from_value(fields).unwrap()
}

fn run(name: &str, start: u64, micros: u64, more: Value) -> ExecutionRow {
    let mut fields = json!({
        "execution_id": name, "workflow_name": "w", "start_time": time(start), "end_time": time(start + micros),
        "status": "completed", "duration": {"micros": micros, "source": "mono"}, "total_tasks": 0,
        "completed_tasks": 0, "failed_tasks": 0, "running_tasks": 0, "retried_tasks": 0, "labels": {}, "inputs": {},
        "llm": {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "duration_us": 0},
        "waiting_for": [], "last_event_time": time(start + micros),
    });
    let Value::Object(more) = more else { panic!("fields expected") };
    fields.as_object_mut().unwrap().extend(more);
    serde_json::from_value(fields).unwrap()
}

/// What a cause adds to a way: its work until the next one begins.
fn counted(cause: &TaskExecutionRow, row: &TaskExecutionRow) -> u64 {
    let until = row.start_time.unwrap().micros_since(cause.start_time.unwrap());
    u64::try_from(until).unwrap_or(0).min(cause.duration.unwrap().micros)
}

/// Every way through the causes, as its rows and its length.
fn all_ways(rows: &[TaskExecutionRow]) -> Vec<(Vec<usize>, u64)> {
    let own = |row: usize| rows[row].duration.unwrap().micros;
    let is_cause = |cause: usize, row: usize| {
        rows[row].causes.iter().any(|other| other.task_execution_id == rows[cause].task_execution_id)
    };
    let mut ways = Vec::new();
    let mut open: Vec<(Vec<usize>, u64)> = (0..rows.len()).map(|row| (vec![row], 0)).collect();
    while let Some((way, length)) = open.pop() {
        let last = way[way.len() - 1];
        ways.push((way.clone(), length + own(last)));
        for next in (0..rows.len()).filter(|next| is_cause(last, *next)) {
            let mut longer = way.clone();
            longer.push(next);
            open.push((longer, length + counted(&rows[last], &rows[next])));
        }
    }
    ways
}

#[test]
fn the_path_is_that_of_brute_force() {
    let mut random = fastrand::Rng::with_seed(4);
    for round in 0..400 {
        let count = random.usize(1..=12);
        let mut rows = Vec::new();
        for place in 0..count {
            let causes: Vec<_> =
                (0..place).filter(|_| random.u8(..) < 70).map(|cause| format!("t{cause}")).collect();
            let causes: Vec<_> = causes.iter().map(String::as_str).collect();
            // Some begin before what led to them has ended.
            rows.push(row(&format!("t{place}"), random.u64(0..60), random.u64(0..40), &causes));
        }
        random.shuffle(&mut rows);
        let found = critical_path(&rows, time(1_000));
        let ways = all_ways(&rows);
        let longest = ways.iter().map(|(_, length)| *length).max().unwrap();
        assert_eq!(found.micros, longest, "round {round}");
        for (place, slack) in found.slack.iter().enumerate() {
            let through =
                ways.iter().filter(|(way, _)| way.contains(&place)).map(|(_, length)| *length).max();
            assert_eq!(*slack, longest - through.unwrap(), "round {round}, {place}");
        }
        let steps: Vec<_> = found.steps.iter().map(|step| step.row).collect();
        assert_eq!(found.steps.iter().map(|step| step.micros).sum::<u64>(), longest, "round {round}");
        let is_way = longest == 0 || ways.iter().any(|(way, length)| *way == steps && *length == longest);
        assert!(is_way, "round {round}: {steps:?}");
        assert!(steps.iter().all(|step| found.slack[*step] == 0));
    }
}

#[test]
fn causes_in_a_circle_and_unknown_ones_do_no_harm() {
    let rows = [row("a", 0, 5, &["b"]), row("b", 5, 7, &["a"]), row("c", 0, 6, &["gone", "c"])];
    let found = critical_path(&rows, time(100));
    assert_eq!(found.micros, 7);
    assert_eq!(found.slack.len(), 3);
    assert_eq!(critical_path(&[], time(0)).micros, 0);
}

/// The record names one member as the cause of what follows a group; what follows waited for all of them.
#[test]
fn what_follows_a_group_waited_for_its_members() {
    let group = || json!({"group": "g"});
    let member =
        |name: &str, start: u64, micros: u64, cause: &str| row_with(name, start, micros, &[cause], group());
    let rows = [
        row("s", 0, 5, &[]),
        member("short", 5, 10, "s"),
        member("long", 5, 30, "s"),
        member("first try", 5, 4, "s"),
        member("second try", 12, 13, "first try"),
        row("join", 35, 7, &["long"]),
        // The same group once more, in the next pass of a loop around it.
        member("short again", 42, 2, "join"),
        member("long again", 42, 6, "join"),
        row("join again", 48, 1, &["long again"]),
    ];
    let found = critical_path(&rows, time(100));
    assert_eq!(found.micros, 5 + 30 + 7 + 6 + 1);
    let steps: Vec<_> = found.steps.iter().map(|step| rows[step.row].task_id.as_str()).collect();
    assert_eq!(steps, ["s", "long", "join", "long again", "join again"]);
    assert_eq!(found.slack, [0, 20, 0, 13, 13, 0, 4, 0, 0]);
}

#[test]
fn what_runs_counts_until_now() {
    let running = json!({"status": "running", "end_time": null, "duration": null});
    let rows = [row("a", 0, 10, &[]), row_with("b", 10, 0, &["a"], running)];
    assert_eq!(critical_path(&rows, time(50)).micros, 50);
}

/// A normal distribution is near enough to the sum of twelve uniform ones.
fn normal(random: &mut fastrand::Rng) -> f64 {
    (0..12).map(|_| random.f64()).sum::<f64>() - 6.0
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "around 10 s in microseconds")]
fn duration(random: &mut fastrand::Rng, scatter: f64) -> u64 {
    (1e7 * (normal(random) * scatter).exp()) as u64
}

#[test]
fn twice_as_long_is_found_and_chance_is_not() {
    let mut random = fastrand::Rng::with_seed(11);
    for (scatter, history) in [(0.02, 10), (0.1, 10), (0.1, 20), (0.1, 50), (0.2, 20), (0.3, 50)] {
        let (rounds, mut alarms, mut found) = (2_000_u32, 0_u32, 0_u32);
        for _ in 0..rounds {
            let before: Vec<_> = (0..history).map(|_| duration(&mut random, scatter)).collect();
            let usual = usual(&before);
            let next = duration(&mut random, scatter);
            alarms += u32::from(usual.is_slower(next).unwrap());
            found += u32::from(usual.is_slower(next * 2).unwrap());
        }
        assert!(alarms * 100 <= rounds, "{scatter} {history}: {alarms} alarms of {rounds}");
        if scatter <= 0.1 {
            assert!(found * 100 >= rounds * 95, "{scatter} {history}: {found} of {rounds}");
        }
    }
}

#[test]
fn little_history_says_nothing_and_one_hang_changes_nothing() {
    assert_eq!(usual(&[]).median_us, None);
    assert_eq!(usual(&[3, 1, 2]).median_us, Some(2));
    assert_eq!(usual(&[1, 2, 3, 6]).median_us, Some(2), "whole microseconds");
    assert_eq!(usual(&[5; 9]).slower_above_us, None);
    let mut history = vec![1_000_000; 20];
    history.push(3_600_000_000);
    assert_eq!(usual(&history).is_slower(2_000_000), Some(true));
    assert_eq!(usual(&history).is_slower(1_100_000), Some(false));
}

#[test]
fn a_run_is_held_against_those_before_it() {
    let earlier: Vec<_> = (0..12).map(|n| run(&format!("r{n}"), n, 100, json!({}))).collect();
    let tasks = |slow: u64| vec![row("a", 0, 40, &[]), row("b", 40, slow, &["a"]), row("c", 40, 10, &["a"])];
    let history: Vec<_> = earlier
        .iter()
        .map(|run| RunOfProfile { execution: run.clone(), task_executions: tasks(50) })
        .collect();
    let analysis = analyse(&run("now", 500, 300, json!({})), &tasks(250), &earlier, &history, time(9_000));
    assert_eq!((analysis.duration_us, analysis.usual.median_us), (300, Some(100)));
    assert_eq!(analysis.usual.is_slower(300), Some(true));
    let task = |name: &str| analysis.tasks[name];
    assert_eq!(
        (task("b").critical_us, task("b").usual.median_us, task("b").usual.is_slower(250)),
        (250, Some(50), Some(true))
    );
    assert_eq!((task("a").critical_us, task("a").usual.is_slower(40)), (40, Some(false)));
    assert_eq!((task("c").critical_us, analysis.critical_path.slack[2]), (0, 240));
}

#[test]
fn where_the_time_goes() {
    // 0-40 a; 40-50 nothing; 50-60 only a queue; 60-80 two at once; 80-100 one of them.
    let queued = json!({"queued_time": time(50), "queued": {"micros": 10, "source": "mono"}});
    let rows = vec![
        row("a", 0, 40, &[]),
        row_with("b", 60, 40, &["a"], queued),
        row_with("c", 60, 20, &["a"], json!({"family": "work"})),
    ];
    let one = RunOfProfile { execution: run("one", 0, 100, json!({})), task_executions: rows };
    let found = profile(&[one.clone(), one]);
    assert_eq!((found.wall_us, found.working_us, found.queued_us, found.idle_us), (200, 160, 20, 20));
    assert_eq!(found.work_us, 200);
    let names: Vec<_> = found.tasks.iter().map(|task| (task.task.as_str(), task.critical_us)).collect();
    assert_eq!(names, [("a", 80), ("b", 80), ("work", 0)]);
    assert_eq!(found.tasks[0].critical_total_us, 160);
    assert_eq!((found.tasks[1].queued_us, found.tasks[2].is_family), (20, true));
    let at = |percent: usize| found.parallelism[percent / 2];
    let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
    assert!(
        near(at(0), 1.0) && near(at(44), 0.0) && near(at(70), 2.0) && near(at(98), 1.0),
        "{:?}",
        found.parallelism
    );
}

#[test]
fn failures_of_one_cause_are_one() {
    let failed = |name: &str, start: u64, message: &str| {
        run(name, start, 10, json!({"status": "failed", "error": {"type": "KeyError", "message": message}}))
    };
    let runs = [
        failed("r1", 0, "row 1"),
        failed("r3", 200, "row 3"),
        failed("r2", 100, "no table"),
        failed("r0", 50, "row 2"),
    ];
    let groups = group_failures(&runs);
    let said: Vec<_> = groups
        .iter()
        .map(|group| {
            (group.count, group.message.as_str(), group.newest_execution_id.as_str(), group.first_seen)
        })
        .collect();
    assert_eq!(said, [(3, "row 3", "r3", time(10)), (1, "no table", "r2", time(110))]);
}
