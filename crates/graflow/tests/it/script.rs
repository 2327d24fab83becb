//! Workflows in one line, so that a meaning is a table: `check("a >> (b | c) >> d", "b: fail")`.
//!
//! A flow is written as in Rust, and `name{a | b}` is a strict group; `name/best_effort{…}`, `name/at_least=2{…}`,
//! `name/critical=a,b{…}` have other policies. A script says what each execution of a task does, one after the other;
//! beyond it a task is done at once. What came of it is told in one line as well.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use graflow::prelude::*;
use graflow::{Execute, Run};

/// What the tasks of a flow do, and what they did.
#[derive(Clone, Default)]
pub(crate) struct Script {
    actions: Arc<Mutex<HashMap<String, Vec<String>>>>,
    trace: Arc<Mutex<Vec<String>>>,
}

impl Script {
    /// `a: fail, done; b: sleep 5`
    pub(crate) fn parse(text: &str) -> Self {
        let script = Self::default();
        for line in text.split(';').filter(|line| !line.trim().is_empty()) {
            let (task, actions) = line.split_once(':').expect("task: action, action");
            let actions = actions.split(',').map(|action| action.trim().to_owned()).rev().collect();
            script.actions.lock().unwrap().insert(task.trim().to_owned(), actions);
        }
        script
    }

    fn next(&self, task: &str) -> String {
        self.trace.lock().unwrap().push(task.to_owned());
        let mut actions = self.actions.lock().unwrap();
        actions.get_mut(task).and_then(Vec::pop).unwrap_or_else(|| "done".to_owned())
    }

    /// The tasks that began, in order.
    pub(crate) fn trace(&self) -> Vec<String> {
        self.trace.lock().unwrap().clone()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("as told")]
pub(crate) struct AsTold;

#[task]
pub(crate) async fn step(ctx: &TaskContext, script: Res<Script>) -> Result<Next<u32>> {
    let action = script.next(ctx.task_id());
    let (action, argument) = action.split_once(' ').unwrap_or((&action, ""));
    // `fail 5` fails after 5 ms.
    if let ("fail" | "terminate" | "cancel", Ok(delay)) = (action, argument.parse()) {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    match action {
        "done" => {}
        "sleep" => tokio::time::sleep(Duration::from_millis(argument.parse()?)).await,
        "fail" => return Err(AsTold.into()),
        "fatal" => return Err(TaskError::permanent(AsTold)),
        "panic" => panic!("as told"),
        "again" => return Ok(ctx.next_iteration(0)),
        "jump" => return Ok(ctx.jump(argument)),
        "terminate" => return Ok(ctx.terminate("enough")),
        "cancel" => return Ok(ctx.cancel("no more")),
        "add" => ctx.next_task(flow(argument))?,
        "add_and_fail" => {
            ctx.next_task(flow(argument))?;
            return Err(AsTold.into());
        }
        other => panic!("no action is called {other}"),
    }
    Ok(Next::Done(ctx.iteration()))
}

/// Runs a flow, and tells what came of it: `completed: a b c`, then what was skipped, failed or cancelled.
pub(crate) fn check(flow_text: &str, script: &str) -> String {
    told(&run(flow_text, script, |execute| execute))
}

/// Runs a flow after `set_up`, on one thread, in a time that passes by itself.
pub(crate) fn run(flow_text: &str, script: &str, set_up: impl FnOnce(Execute) -> Execute) -> (Run, Script) {
    let script = Script::parse(script);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let execute = Workflow::new("test", flow(flow_text)).execute().resource(script.clone());
    let run = runtime.block_on(async { set_up(execute).await }).expect("the flow is valid");
    (run, script)
}

pub(crate) fn told((run, script): &(Run, Script)) -> String {
    let mut words = vec![format!("{}: {}", run.status(), script.trace().join(" "))];
    for status in [TaskStatus::Skipped, TaskStatus::Failed, TaskStatus::Cancelled] {
        let tasks = run.tasks().iter().filter(|task| task.status == status);
        let tasks: Vec<&str> = tasks.map(|task| &*task.task_id).collect();
        if !tasks.is_empty() {
            words.push(format!("{status}: {}", tasks.join(" ")));
        }
    }
    words.join("; ")
}

/// Every row of a table: flow, script, what comes of it.
pub(crate) fn table(rows: &[(&str, &str, &str)]) {
    let found: Vec<(&str, &str, String)> =
        rows.iter().map(|(flow, script, _)| (*flow, *script, check(flow, script))).collect();
    let expected: Vec<(&str, &str, String)> =
        rows.iter().map(|(flow, script, told)| (*flow, *script, (*told).to_owned())).collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
}

/// Reads a flow.
pub(crate) fn flow(text: &str) -> Flow {
    let mut parser = Parser { rest: text };
    let flow = parser.sequence();
    assert_eq!(parser.rest.trim(), "", "the rest of {text:?}");
    flow
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn eat(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        let found = self.rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn branches(&mut self) -> Vec<Flow> {
        let mut branches = vec![self.sequence()];
        while self.eat("|") {
            branches.push(self.sequence());
        }
        branches
    }

    fn sequence(&mut self) -> Flow {
        let mut flow = self.atom();
        while self.eat(">>") {
            flow = flow >> self.atom();
        }
        flow
    }

    fn atom(&mut self) -> Flow {
        if self.eat("(") {
            let branches = self.branches();
            assert!(self.eat(")"), "a ) at {:?}", self.rest);
            return branches.into_iter().reduce(|one, other| one | other).unwrap();
        }
        let name = self.word();
        let policy = if self.eat("/") { self.word() } else { String::new() };
        if !self.eat("{") {
            return step().named(name).into();
        }
        let members = if self.eat("}") { Vec::new() } else { self.members() };
        let group = parallel(name, members);
        let (policy, argument) = policy.split_once('=').unwrap_or((&policy, ""));
        let group = match policy {
            "" => group,
            "best_effort" => group.policy(BestEffort),
            "at_least" => group.policy(AtLeast(argument.parse().unwrap())),
            "critical" => group.policy(Critical::new(argument.split(','))),
            other => panic!("no policy is called {other}"),
        };
        graflow::IntoFlow::into_flow(group)
    }

    fn members(&mut self) -> Vec<Flow> {
        let members = self.branches();
        assert!(self.eat("}"), "a }} at {:?}", self.rest);
        members
    }

    fn word(&mut self) -> String {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|letter: char| !letter.is_alphanumeric() && !"_=,".contains(letter));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        assert!(!word.is_empty(), "a name at {:?}", self.rest);
        self.rest = rest;
        word.to_owned()
    }
}
