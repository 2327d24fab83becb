//! The handle that threads share.

use std::fmt;
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use graflow_model::{ExecutionId, ProducerId};

use super::driver::{self, Command, Desk, Driver, Outcome, Stop};
use super::settings::Settings;
use crate::clock::micros;
use crate::endpoint::Endpoint;
use crate::http_transport::HttpTransport;
use crate::identity::{Identity, random_u64};
use crate::queue::Queue;
use crate::sender::{Encoder, Sender, Tuning};
use crate::source::{Events, Source};
use crate::spool::{Backlog, DiskFiles, Files, Limits};
use crate::statistics::Statistics;
use crate::transport::Transport;

/// How long a producer that is dropped waits for what it holds to be delivered.
const DROP_DEADLINE: Duration = Duration::from_secs(1);

/// Makes the way to the server; called once on the producer's thread, and once more in each forked process.
pub type MakeTransport = Arc<dyn Fn() -> Box<dyn Transport> + Send + Sync>;

/// Makes the source; called when a transport is made.
pub type MakeSource<S> = Arc<dyn Fn() -> S + Send + Sync>;

/// Takes events and delivers them, in the background and for as long as it takes.
///
/// [`Producer::send`] never blocks and never fails. Events pass through a bounded queue to a thread of the producer's
/// own, which numbers them, writes them to the spool, and sends them; they leave the spool only when the server has
/// them on disk. What a process leaves in its spool when it dies is delivered by the next one that uses the folder.
///
/// Clones share one producer. It starts its thread with the first event. In a forked process it becomes another
/// producer by itself, with its own identity, queue, spool files and thread. When the last clone is dropped, it waits
/// up to a second for the rest to be delivered; [`Producer::flush`] waits as long as one likes.
///
/// What is handed in are events, or whatever a [`Source`] turns into events.
///
/// ```no_run
/// use graflow_client::{Endpoint, Producer, Settings};
/// use graflow_model::{Event, EventType, Timestamp};
///
/// let producer = Producer::to_server(Endpoint::parse("http://127.0.0.1:8000")?, Settings::default());
/// let mut event = Event::new("e-1".into(), EventType::WorkflowStarted, Timestamp::from_micros(0));
/// event.execution_id = Some("run-1".into());
/// producer.send(event);
/// # Ok::<(), graflow_client::EndpointError>(())
/// ```
pub struct Producer<S: Source = Events> {
    shared: Arc<Shared<S>>,
}

struct Shared<S: Source> {
    settings: Settings,
    make: Make<S>,
    first: Life<S>,
}

/// What the producer's thread starts with.
struct Make<S> {
    source: MakeSource<S>,
    transport: MakeTransport,
}

/// A producer in one process. A lock that another thread held while the process forked is never free again, so the
/// child leaves all of this alone and begins a life of its own.
struct Life<S: Source> {
    identity: Identity,
    queue: Arc<Queue<S>>,
    desk: Arc<Desk>,
    started: OnceLock<()>,
    after_fork: OnceLock<Box<Life<S>>>,
}

impl Producer {
    /// A producer that sends to a server.
    pub fn to_server(endpoint: Endpoint, settings: Settings) -> Self {
        let timeout = settings.request_timeout;
        Self::new(settings, Arc::new(move || Box::new(HttpTransport::new(endpoint.clone(), timeout))))
    }

    /// A producer that delivers by any other way.
    pub fn new(settings: Settings, make_transport: MakeTransport) -> Self {
        Self::with_source(settings, Arc::new(|| Events), make_transport)
    }
}

impl<S: Source> Producer<S> {
    /// A producer of whatever the source turns into events.
    pub fn with_source(settings: Settings, source: MakeSource<S>, transport: MakeTransport) -> Self {
        let first = Life::new(&settings);
        Self { shared: Arc::new(Shared { settings, make: Make { source, transport }, first }) }
    }

    /// Hands an event in. Its `producer` and `producer_seq` are set here; everything else is taken as it is.
    ///
    /// This costs a short lock and no system call but `getpid`, except that the first one after a pause wakes the
    /// sending thread. When the queue is full, the event is dropped, and counted in [`Statistics::dropped`] and in a
    /// `note` event of its execution.
    pub fn send(&self, item: S::Item) {
        self.shared.started().queue.offer(item);
    }

    /// A way in that does not ask the operating system each time whether the process was forked.
    pub fn feed(&self) -> Feed<S> {
        Feed { queue: Arc::clone(&self.shared.started().queue), producer: self.clone() }
    }

    /// Reports an execution alive until it is closed. Executions whose `workflow_started` passes through here are
    /// open without this, until their end passes too.
    pub fn open(&self, execution_id: ExecutionId) {
        self.shared.started().command(Command::Open(execution_id));
    }

    /// No longer reports an execution alive.
    pub fn close(&self, execution_id: ExecutionId) {
        self.shared.started().command(Command::Close(execution_id));
    }

    /// Waits until everything handed in so far is delivered, or is on disk while the server cannot be reached.
    pub fn flush(&self, deadline: Duration) -> Outcome {
        self.shared.current().flush(deadline)
    }

    /// The producer's name in this process.
    pub fn identity(&self) -> ProducerId {
        self.shared.current().identity.producer().clone()
    }

    /// What it counts about itself, in this process.
    pub fn statistics(&self) -> Statistics {
        let life = self.shared.current();
        Statistics {
            offered: life.queue.offered(),
            queued: life.queue.len() as u64,
            ..life.desk.statistics()
        }
    }
}

/// A way into a [`Producer`] for those who hand in very much: it costs a short lock and no system call.
///
/// It belongs to the process that asked for it. In a forked child it must not be used: ask the producer for another.
pub struct Feed<S: Source = Events> {
    queue: Arc<Queue<S>>,
    /// Kept alive, so that somebody takes from the queue.
    producer: Producer<S>,
}

impl<S: Source> Feed<S> {
    /// As [`Producer::send`].
    pub fn send(&self, item: S::Item) {
        self.queue.offer(item);
    }

    /// The producer that it belongs to.
    pub fn producer(&self) -> &Producer<S> {
        &self.producer
    }
}

impl<S: Source> Shared<S> {
    fn current(&self) -> &Life<S> {
        let pid = std::process::id();
        let mut life = &self.first;
        while life.identity.pid() != pid {
            life = life.after_fork.get_or_init(|| Box::new(Life::new(&self.settings)));
        }
        life
    }

    fn started(&self) -> &Life<S> {
        let life = self.current();
        life.started.get_or_init(|| life.start(&self.settings, &self.make));
        life
    }
}

impl<S: Source> Drop for Shared<S> {
    fn drop(&mut self) {
        let life = self.current();
        if life.started.get().is_some() {
            life.stop(DROP_DEADLINE);
        }
    }
}

impl<S: Source> Life<S> {
    fn new(settings: &Settings) -> Self {
        Self {
            identity: Identity::of_this_process(),
            queue: Arc::new(Queue::new(settings.queue_items, settings.queue_bytes)),
            desk: Arc::default(),
            started: OnceLock::new(),
            after_fork: OnceLock::new(),
        }
    }

    fn start(&self, settings: &Settings, make: &Make<S>) {
        let files = settings.spool.as_ref().map(|folder| Box::new(DiskFiles::new(folder)) as Box<dyn Files>);
        let producer = self.identity.producer().clone();
        let backlog = Backlog::new(
            files,
            producer.clone(),
            settings.project.clone(),
            settings.spool_bytes,
            settings.memory_bytes,
        );
        let tuning = Tuning {
            batch: Limits { events: settings.batch_events, bytes: settings.batch_bytes },
            interval: settings.interval,
            heartbeat: settings.heartbeat,
            retry_first: settings.retry_first,
            retry_longest: settings.retry_longest,
        };
        let encoder = Encoder::new(producer, Rng::with_seed(random_u64()));
        let sender =
            Sender::new(settings.project.clone(), tuning, encoder, backlog, Rng::with_seed(random_u64()));
        let (queue, desk) = (Arc::clone(&self.queue), Arc::clone(&self.desk));
        let (make_source, make_transport) = (Arc::clone(&make.source), Arc::clone(&make.transport));
        let spawned = thread::Builder::new().name("graflow-sender".into()).spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    tracing::error!("events are not sent: no runtime: {error}");
                    return;
                }
            };
            let driver = Driver { queue, desk, sender, source: make_source(), transport: make_transport() };
            runtime.block_on(driver.run());
        });
        if let Err(error) = spawned {
            // The workflow goes on; the queue fills up, and what is beyond is counted.
            tracing::error!("events are not sent: no thread: {error}");
        }
    }

    fn command(&self, command: Command) {
        self.desk.command(command);
        self.queue.wake();
    }

    fn flush(&self, deadline: Duration) -> Outcome {
        if self.started.get().is_none() {
            return Outcome::Delivered;
        }
        let (sender, receiver) = mpsc::channel();
        self.command(Command::Flush(sender));
        receiver.recv_timeout(deadline).unwrap_or_else(|_| {
            // The server may be hanging; then it is enough that the disk has everything.
            let on_disk = self.queue.is_empty() && self.desk.statistics().memory_bytes == 0;
            if on_disk { Outcome::Spooled } else { Outcome::Incomplete }
        })
    }

    fn stop(&self, deadline: Duration) {
        let began = Instant::now();
        self.flush(deadline);
        let left = deadline.saturating_sub(began.elapsed());
        let (answer, receiver) = mpsc::channel();
        let until_us = driver::now().mono_us.saturating_add(micros(left));
        self.command(Command::Stop(Stop { until_us, answer }));
        self.wait_while_it_moves(&receiver, left + DROP_DEADLINE / 4);
    }

    /// Writing what is left to the spool takes no time worth waiting for, unless there is very much of it. A disk that
    /// hangs is not waited for.
    fn wait_while_it_moves(&self, answer: &mpsc::Receiver<()>, mut patience: Duration) {
        let progress = || (self.queue.len(), self.desk.statistics());
        let mut before = progress();
        while answer.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
            let now = progress();
            if now == before {
                return;
            }
            (before, patience) = (now, DROP_DEADLINE);
        }
    }
}

impl<S: Source> Clone for Producer<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S: Source> Clone for Feed<S> {
    fn clone(&self) -> Self {
        Self { queue: Arc::clone(&self.queue), producer: self.producer.clone() }
    }
}

impl<S: Source> fmt::Debug for Feed<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Feed").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl<S: Source> fmt::Debug for Producer<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Producer").field("identity", &self.identity()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use graflow_model::{Event, EventType, Timestamp};
    use graflow_wire::PostAnswer;

    use super::*;
    use crate::transport::{Answer, Delivery, Post};

    /// Tells what it is given.
    #[derive(Debug)]
    struct Telling(mpsc::Sender<Post>);

    impl Transport for Telling {
        fn post(&mut self, post: Post) -> Delivery {
            self.0.send(post).unwrap();
            Box::pin(std::future::ready(Answer::Taken(PostAnswer::default())))
        }
    }

    fn event() -> Event {
        let mut event = Event::new("e".into(), EventType::WorkflowStarted, Timestamp::default());
        event.execution_id = Some("x".into());
        event
    }

    #[test]
    fn in_another_process_it_is_another_producer() {
        let (sender, posts) = mpsc::channel();
        let transport: MakeTransport = Arc::new(move || Box::new(Telling(sender.clone())));
        let make = Make { source: Arc::new(|| Events), transport };
        // What a child of a fork finds: a producer that was made, and used, under another process id.
        let mut first = Life::new(&Settings::default());
        first.identity = Identity::new("host", "boot", 1, 1);
        first.queue.offer(event());
        first.command(Command::Open("of the parent".into()));
        first.started.set(()).unwrap();
        let shared = Shared { settings: Settings::default(), make, first };
        let child = Producer { shared: Arc::new(shared) };
        assert_ne!(child.identity().as_str(), "host/boot/1/0000000000000001");
        assert_eq!(child.identity(), child.identity());
        child.send(event());
        assert_eq!(child.flush(Duration::from_secs(5)), Outcome::Delivered);
        let post = posts.recv_timeout(Duration::from_secs(5)).unwrap();
        let text = String::from_utf8(post.body).unwrap();
        // The parent's event and its open execution are the parent's to report.
        assert_eq!(post.events, 2, "one event and a sign of life: {text}");
        assert!(text.contains(child.identity().as_str()) && !text.contains("of the parent"), "{text}");
        assert_eq!(child.statistics().offered, 1);
    }
}
