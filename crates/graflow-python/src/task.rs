//! An attempt of a task, and a write, as Python holds them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use graflow_model::EventType;
use graflow_model::event::{ErrorInfo, Log, TaskEnded, TaskFailed};
use pyo3::prelude::*;
use serde_json::value::{RawValue, to_raw_value};

use crate::record::{Kind, Moment, Record, TaskInfo, WriteInfo, status};
use crate::recorder::send;

/// Most lines that are kept of a task execution's log, and most bytes of them.
const LOG_LINES: u64 = 1_000;
const LOG_BYTES: u64 = 256 * 1024;
/// Longest message of an error or line of a log, in bytes.
const MESSAGE_BYTES: usize = 64 * 1024;

/// One attempt of a task.
#[pyclass(frozen, module = "graflow_lineage._native")]
pub(crate) struct TaskExecution {
    pub(crate) info: Arc<TaskInfo>,
    /// Until its end is told.
    result: Mutex<Option<Arc<WriteInfo>>>,
}

/// One write of a key.
#[pyclass(frozen, module = "graflow_lineage._native")]
pub(crate) struct Write(pub(crate) Arc<WriteInfo>);

#[pymethods]
impl TaskExecution {
    /// It came to its end.
    pub(crate) fn complete(&self) {
        let at = self.ended(status::COMPLETED);
        let result = self.take_result();
        self.send(at, Kind::Completed { task: Arc::clone(&self.info), result });
    }

    /// It failed.
    #[pyo3(signature = (error_type, message, traceback = None))]
    fn fail(&self, error_type: &str, message: &str, traceback: Option<&str>) {
        let at = self.ended(status::FAILED);
        let _ = self.info.error.set(cut(message));
        let error = ErrorInfo {
            error_type: error_type.to_owned(),
            message: cut(message),
            traceback: traceback.map(cut),
            fingerprint: None,
        };
        self.told(at, EventType::TaskFailed, to_raw_value(&TaskFailed { error }).ok());
    }

    /// It was cancelled.
    #[pyo3(signature = (reason = None))]
    pub(crate) fn cancel(&self, reason: Option<&str>) {
        let at = self.ended(status::CANCELLED);
        let ended = TaskEnded { reason: reason.map(cut), delay_us: None };
        self.told(at, EventType::TaskCancelled, to_raw_value(&ended).ok());
    }

    /// It will be tried again.
    #[pyo3(signature = (reason = None, delay_us = None))]
    fn retry(&self, reason: Option<&str>, delay_us: Option<u64>) {
        let ended = TaskEnded { reason: reason.map(cut), delay_us };
        self.told(Moment::now(), EventType::TaskRetried, to_raw_value(&ended).ok());
    }

    /// It logs a line; beyond the limit, lines are counted only, and its end tells how many.
    #[pyo3(signature = (level, logger, message, file = None, line = None))]
    fn log(&self, level: &str, logger: &str, message: &str, file: Option<String>, line: Option<u32>) {
        let message = cut(message);
        let lines = self.info.log_lines.fetch_add(1, Ordering::Relaxed);
        let bytes = self.info.log_bytes.fetch_add(message.len() as u64, Ordering::Relaxed);
        if lines >= LOG_LINES || bytes + message.len() as u64 > LOG_BYTES {
            return;
        }
        let log = Log {
            level: level.to_owned(),
            logger: Some(logger.to_owned()),
            message,
            file,
            line,
            fields: None,
            cut: None,
        };
        self.told(Moment::now(), EventType::Log, to_raw_value(&log).ok());
    }

    /// Its id.
    #[getter]
    fn id(&self) -> String {
        self.info.id.to_string()
    }

    /// Its task.
    #[getter]
    fn task_id(&self) -> &str {
        self.info.task_id.as_str()
    }

    /// Its run.
    #[getter]
    fn execution_id(&self) -> &str {
        self.info.run.execution_id.as_str()
    }

    /// The pass of the loop, from 0.
    #[getter]
    fn iteration(&self) -> u32 {
        self.info.iteration
    }

    /// The attempt, from 1.
    #[getter]
    fn attempt(&self) -> u32 {
        self.info.attempt
    }

    /// `running`, `completed`, `failed` or `cancelled`.
    #[getter]
    fn status(&self) -> &'static str {
        let status = self.info.status.load(Ordering::Relaxed);
        status::WORDS.get(usize::from(status)).copied().unwrap_or("running")
    }

    /// When it began, in microseconds since 1970.
    #[getter]
    fn started_us(&self) -> i64 {
        self.info.started.time.as_micros()
    }

    /// Microseconds it took, once it has ended.
    #[getter]
    fn took_us(&self) -> Option<i64> {
        let took = self.info.took_us.load(Ordering::Relaxed);
        (took >= 0).then_some(took)
    }

    /// The message of its error.
    #[getter]
    fn error_message(&self) -> Option<&str> {
        self.info.error.get().map(String::as_str)
    }

    /// Bytes of its result, where they were told.
    #[getter]
    fn result_size(&self) -> Option<u64> {
        u64::try_from(self.info.result_size.load(Ordering::Relaxed)).ok()
    }
}

impl TaskExecution {
    pub(crate) fn new(info: Arc<TaskInfo>) -> Self {
        Self { info, result: Mutex::new(None) }
    }

    /// What it gives, which its end will tell. A retry is an execution of its own: the first result is the only one.
    pub(crate) fn set_result(&self, write: &Arc<WriteInfo>) {
        let mut result = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        if result.is_none() {
            self.info.has_result(write);
            *result = Some(Arc::clone(write));
        }
    }

    fn take_result(&self) -> Option<Arc<WriteInfo>> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn ended(&self, ended_as: u8) -> Moment {
        let at = Moment::now();
        self.info.took_us.store((at.mono_us - self.info.started.mono_us).max(0), Ordering::Relaxed);
        self.info.status.store(ended_as, Ordering::Relaxed);
        self.tell_cut_lines(at);
        at
    }

    fn tell_cut_lines(&self, at: Moment) {
        let lines = self.info.log_lines.load(Ordering::Relaxed);
        let bytes = self.info.log_bytes.load(Ordering::Relaxed);
        if lines <= LOG_LINES && bytes <= LOG_BYTES {
            return;
        }
        let log = Log {
            level: "warning".into(),
            logger: Some("graflow_lineage".into()),
            message: "log lines beyond the limit were left out".into(),
            file: None,
            line: None,
            fields: None,
            cut: Some(lines.saturating_sub(LOG_LINES).max(1)),
        };
        self.told(at, EventType::Log, to_raw_value(&log).ok());
    }

    fn told(&self, at: Moment, event_type: EventType, data: Option<Box<RawValue>>) {
        if let Some(data) = data {
            self.send(at, Kind::Told { event_type, task: Some(Arc::clone(&self.info)), data });
        }
    }

    fn send(&self, at: Moment, kind: Kind) {
        send(Record { run: Arc::clone(&self.info.run), at, kind });
    }
}

#[pymethods]
impl Write {
    /// The event that tells of it.
    #[getter]
    fn event_id(&self) -> String {
        self.0.id.to_string()
    }
}

fn cut(text: &str) -> String {
    if text.len() <= MESSAGE_BYTES {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(MESSAGE_BYTES)])
}
