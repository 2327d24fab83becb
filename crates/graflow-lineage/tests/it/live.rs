//! Viewers of the live side, thousands of them, quick, slow and stalled.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use graflow_lineage::live::{Filter, HELD_BYTES, Live, RING_BYTES, RING_UPDATES, Subscription};
use graflow_lineage::materialise::{Delta, Observer};
use graflow_lineage::store::StoredEvent;
use graflow_model::row::ChangedRows;
use graflow_model::{Clock, Event, EventType, Project, Seq, Timestamp};

#[derive(Debug)]
struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_795_435_200_000_000)
    }
    fn mono_us(&self) -> i64 {
        0
    }
}

fn live() -> Arc<Live> {
    Live::new(Arc::new(StandingClock))
}

fn publish(live: &Live, seq: u64, execution_id: &str, bytes: usize) {
    let now = StandingClock.now();
    let mut event = Event::new(format!("e{seq}").into(), EventType::TaskStarted, now);
    event.execution_id = Some(execution_id.into());
    let event = StoredEvent {
        seq: Seq(seq),
        project: Project::default(),
        received: now,
        event,
        json: "x".repeat(bytes).into(),
    };
    live.publish(Delta { event: Arc::new(event), rows: ChangedRows::default() });
}

fn follow(live: &Arc<Live>, execution_id: Option<&str>) -> Subscription {
    let filter = Filter { execution_id: execution_id.map(Into::into), ..Filter::default() };
    live.subscribe(Project::default(), filter)
}

/// The numbers of all that is there, and how often the viewer fell off.
fn drain(viewer: &Subscription) -> (Vec<u64>, usize) {
    let (mut seqs, mut fell_off) = (Vec::new(), 0);
    loop {
        let taken = viewer.take(100);
        fell_off += usize::from(taken.fell_off);
        seqs.extend(taken.updates.iter().map(|update| update.seq.0));
        if taken.published.is_some() {
            return (seqs, fell_off);
        }
    }
}

#[test]
fn a_viewer_of_a_quiet_execution_never_pays_for_a_busy_one() {
    let live = live();
    let (quiet, busy, all) = (follow(&live, Some("quiet")), follow(&live, Some("busy")), follow(&live, None));
    publish(&live, 1, "quiet", 10);
    let last = 3 * RING_UPDATES as u64;
    (2..last).for_each(|seq| publish(&live, seq, "busy", 10));
    publish(&live, last, "quiet", 10);
    assert_eq!(drain(&quiet), (vec![1, last], 0));
    assert_eq!((drain(&busy).1, drain(&all).1), (1, 1));
    // Once, and then it goes on.
    publish(&live, last + 1, "busy", 10);
    assert_eq!(drain(&busy), (vec![last + 1], 0));
    assert_eq!(drain(&all), (vec![last + 1], 0));
    assert_eq!(live.statistics().fallen_off, 2);
}

#[test]
fn a_thousand_stalled_viewers_hold_one_ring() {
    let live = live();
    let viewers: Vec<_> = (0..1_000).map(|_| follow(&live, None)).collect();
    for seq in 1..=5_000 {
        publish(&live, seq, "x", 1_000);
        assert!(live.statistics().held_bytes <= RING_BYTES as u64);
    }
    assert!(viewers.iter().all(|viewer| drain(viewer).1 == 1), "each is told once");
    assert_eq!(live.statistics().held_bytes, 0, "what all have taken is gone");
    drop(viewers);
    assert_eq!(live.statistics().viewers, 0);
}

#[test]
fn many_topics_are_bounded_together_and_the_largest_gives_way() {
    let live = live();
    let quiet = follow(&live, Some("quiet"));
    publish(&live, 1, "quiet", 10);
    let names: Vec<_> = (0..200).map(|number| format!("busy-{number}")).collect();
    let stalled: Vec<_> = names.iter().map(|name| follow(&live, Some(name))).collect();
    let mut seq = 1;
    for _ in 0..12 {
        for name in &names {
            seq += 1;
            publish(&live, seq, name, 30_000);
            assert!(live.statistics().held_bytes <= HELD_BYTES as u64);
        }
    }
    assert!(stalled.iter().any(|viewer| drain(viewer).1 == 1), "there was room for all");
    assert_eq!(drain(&quiet), (vec![1], 0));
}

#[test]
fn one_event_wakes_everybody_who_waits_for_it() {
    let live = live();
    let viewers: Vec<_> = (0..50).map(|_| follow(&live, Some("x"))).collect();
    let other = follow(&live, Some("y"));
    let mut waiting: Vec<_> = viewers.iter().map(|viewer| Box::pin(viewer.ready())).collect();
    let mut other = pin!(other.ready());
    let mut context = Context::from_waker(Waker::noop());
    for viewer in &mut waiting {
        assert_eq!(viewer.as_mut().poll(&mut context), Poll::Pending);
    }
    assert_eq!(other.as_mut().poll(&mut context), Poll::Pending);
    publish(&live, 1, "x", 10);
    // The one who was woken may go without looking: another takes its place.
    drop(waiting.remove(0));
    for viewer in &mut waiting {
        assert_eq!(viewer.as_mut().poll(&mut context), Poll::Ready(()));
    }
    assert_eq!(other.as_mut().poll(&mut context), Poll::Pending);
}

/// Real waking: each viewer sleeps on its own task until its turn comes, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_sleeps_on() {
    const EVENTS: u64 = 200;
    let live = live();
    let viewers: Vec<_> = (0..100_usize)
        .map(|number| {
            let (viewer, most) = (follow(&live, None), 1 + number % 3);
            tokio::spawn(async move {
                let mut heard = 0;
                while heard < EVENTS {
                    viewer.ready().await;
                    heard += viewer.take(most).updates.len() as u64;
                }
            })
        })
        .collect();
    for seq in 1..=EVENTS {
        publish(&live, seq, "x", 10);
        if seq % 3 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    for viewer in viewers {
        tokio::time::timeout(Duration::from_secs(20), viewer).await.unwrap().unwrap();
    }
}

/// What publishing costs does not depend on how many look on. A queue a viewer made it thirty times as slow.
#[test]
fn publishing_costs_the_same_for_a_thousand_viewers() {
    let cost = |viewers: usize| {
        let live = live();
        let _viewers: Vec<_> = (0..viewers).map(|_| follow(&live, None)).collect();
        let began = Instant::now();
        (1..=5_000).for_each(|seq| publish(&live, seq, "x", 100));
        began.elapsed()
    };
    // The best of three: other programs run too.
    let best = |viewers| (0..3).map(|_| cost(viewers)).min().unwrap_or_default();
    let (one, thousand) = (best(1), best(1_000));
    assert!(thousand < one * 5 + Duration::from_millis(20), "{thousand:?} against {one:?}");
}
