//! A workflow: a name and a graph of tasks.

use std::sync::Arc;

use crate::engine::Execute;
use crate::error::Problem;
use crate::flow::{Graph, IntoFlow, check_task_name};
use crate::task::{Task, TaskRef};

/// A name and a graph of tasks. It can run any number of times, also at once.
#[derive(Debug, Clone)]
pub struct Workflow {
    name: Arc<str>,
    graph: Arc<Graph>,
}

/// The name that graflow for Python has for a [`Workflow`].
pub type WorkflowContext = Workflow;

impl Workflow {
    /// A workflow of a flow. What is wrong with it is reported when it is executed, before the first task.
    pub fn new(name: impl Into<String>, flow: impl IntoFlow) -> Self {
        let mut workflow = Self::empty(name);
        workflow.add(flow);
        workflow
    }

    /// A workflow without tasks; add them with [`Workflow::add`], or one by one.
    ///
    /// ```
    /// use graflow::prelude::*;
    /// #[task]
    /// async fn first() -> u32 { 1 }
    /// #[task]
    /// async fn second(first: u32) -> u32 { first + 1 }
    ///
    /// let mut workflow = Workflow::empty("steps");
    /// workflow.add_node(first())?;
    /// workflow.add_node(second())?;
    /// workflow.add_edge("first", "second")?;
    /// assert!(workflow.mermaid().contains("n0 --> n1"));
    /// # Ok::<(), graflow::Problem>(())
    /// ```
    pub fn empty(name: impl Into<String>) -> Self {
        Self { name: name.into().into(), graph: Arc::default() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a flow beside what is there. A task that is there already is the same task.
    pub fn add(&mut self, flow: impl IntoFlow) {
        Arc::make_mut(&mut self.graph).add(flow.into_flow());
    }

    /// Adds a task.
    ///
    /// # Errors
    /// There is a task or group of that id, or it is empty or too long.
    pub fn add_node(&mut self, task: impl Task) -> Result<(), Problem> {
        let id = task.id().to_owned();
        check_task_name(&id)?;
        if self.graph.find(&id).is_some() {
            let reason = "there is a task or group of that id already; give the new one an id with .named(…)";
            return Err(Problem::DuplicateTask { task: id, reason: reason.to_owned() });
        }
        self.add(task);
        Ok(())
    }

    /// Adds an edge between two tasks or groups. An edge whose target already reaches its source is a back edge.
    ///
    /// # Errors
    /// One of the two is not there, or they are the same.
    pub fn add_edge(&mut self, from: impl TaskRef, to: impl TaskRef) -> Result<(), Problem> {
        let find = |id: Arc<str>| {
            let available = || self.graph.names();
            self.graph
                .find(&id)
                .ok_or_else(|| Problem::UnknownTask { task: id.to_string(), available: available() })
        };
        let (from, to) = (find(from.into_task_id())?, find(to.into_task_id())?);
        Arc::make_mut(&mut self.graph).connect(from, to)
    }

    /// A run of it, to be set up and awaited.
    pub fn execute(&self) -> Execute {
        Execute::new(Arc::clone(&self.name), Arc::clone(&self.graph))
    }

    /// Runs it on a runtime of its own, and waits for the end.
    ///
    /// # Errors
    /// See [`Execute::execute_blocking`].
    pub fn execute_blocking(&self) -> Result<crate::Run, crate::WorkflowError> {
        self.execute().execute_blocking()
    }

    /// Its tasks and edges in words.
    pub fn info(&self) -> String {
        self.graph.info(&self.name)
    }

    /// Prints [`Workflow::info`].
    #[expect(clippy::print_stdout, reason = "to print is what it is for")]
    pub fn show_info(&self) {
        print!("{}", self.info());
    }

    /// The graph as a Mermaid flowchart.
    pub fn mermaid(&self) -> String {
        self.graph.mermaid()
    }

    /// The graph for GraphViz.
    pub fn dot(&self) -> String {
        self.graph.dot(&self.name)
    }
}
