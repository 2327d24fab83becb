//! Whatever happens, in whatever order.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use proptest::prelude::*;

use super::bench::{Bench, ModelServer, SECOND, event, ids, later, run_until_quiet};
use crate::transport::{Answer, Post};

#[derive(Debug, Clone)]
enum Act {
    Send(usize),
    Pass(i64),
    Take,
    TakeAndLoseTheAnswer,
    Later(Option<u64>),
    Refuse,
    Leave,
    Crash,
    DiskFull(bool),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1_usize..40).prop_map(Act::Send),
        4 => (0..3 * SECOND).prop_map(Act::Pass),
        4 => Just(Act::Take),
        2 => Just(Act::TakeAndLoseTheAnswer),
        2 => proptest::option::of(0_u64..20).prop_map(Act::Later),
        1 => Just(Act::Refuse),
        1 => Just(Act::Leave),
        1 => Just(Act::Crash),
        1 => any::<bool>().prop_map(Act::DiskFull),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever server, disk and process do: each event that was kept has its effect, once; the others are counted.
    #[test]
    fn every_event_once_in_effect(acts in prop::collection::vec(act(), 1..60), tears in any::<bool>()) {
        let mut bench = Bench::with_room(6_000, 2_000);
        bench.folder.set_tears(tears);
        let mut server = ModelServer::default();
        let mut posts: VecDeque<Post> = VecDeque::new();
        let (mut sent, mut dropped, mut lost_in_memory) = (0_u64, 0_u64, 0_u64);
        let mut serial = 0_u64;
        let mut refused = BTreeSet::new();
        for act in acts {
            let output = match act {
                Act::Send(count) => {
                    sent += count as u64;
                    bench.send((0..count).map(|_| { serial += 1; event(&serial.to_string()) }).collect())
                }
                Act::Pass(micros) => { bench.now_us += micros; bench.tick() }
                Act::DiskFull(full) => {
                    bench.folder.set_room(full.then_some(1_500));
                    continue;
                }
                Act::Crash => {
                    dropped += bench.sender.statistics().dropped;
                    lost_in_memory += memory_events(&bench);
                    posts.clear();
                    bench.crash();
                    continue;
                }
                answer => {
                    let Some(post) = posts.pop_front() else { continue };
                    match answer {
                        Act::Take => { let receipt = server.take(&post); bench.answer(Answer::Taken(receipt)) }
                        Act::TakeAndLoseTheAnswer => { server.take(&post); bench.answer(later(None)) }
                        Act::Later(seconds) => bench.answer(later(seconds.map(Duration::from_secs))),
                        Act::Leave => bench.answer(Answer::LeaveInSpool),
                        _ => {
                            if post.events == 1 { refused.extend(ids(&post)); }
                            bench.answer(Answer::Refused { reason: "no".into() })
                        }
                    }
                }
            };
            posts.extend(output.post);
            prop_assert!(posts.len() <= 1, "one request at a time");
        }
        // In the end the disk has room and the server is well; another life takes in what is left.
        bench.folder.set_room(None);
        let mut output = bench.tick();
        output.post = posts.pop_front().or(output.post);
        if output.post.is_none() { bench.now_us += 400 * SECOND; output = bench.tick(); }
        run_until_quiet(&mut bench, &mut server, &mut output, 2_000);
        for _ in 0..2 {
            bench.now_us += 400 * SECOND;
            sent += 1;
            serial += 1;
            let mut output = bench.send(vec![event(&serial.to_string())]);
            run_until_quiet(&mut bench, &mut server, &mut output, 2_000);
        }
        dropped += bench.sender.statistics().dropped;
        let told: Vec<_> = server.events.values().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect();
        let own: BTreeSet<_> = told.iter().filter_map(|id| id.parse::<u64>().ok()).collect();
        let notes = told.iter().filter(|id| id.parse::<u64>().is_err()).count();
        prop_assert_eq!(own.len() + notes, told.len(), "no event under two numbers");
        let refused = refused.iter().filter(|id| id.parse::<u64>().is_ok_and(|id| !own.contains(&id))).count() as u64;
        // A crash costs what was in memory; notes of drops are in there too, so this is a bound.
        let missing = sent - own.len() as u64;
        prop_assert!(missing <= dropped + lost_in_memory + refused, "{missing} > {dropped} + {lost_in_memory} + {refused}");
        prop_assert!(missing + lost_in_memory >= dropped, "{missing} {lost_in_memory} {dropped}");
        let left: Vec<_> = bench.folder.held();
        prop_assert!(left.len() <= 1, "nothing is left in the spool: {:?}", left);
    }
}

/// Events that are in memory only.
fn memory_events(bench: &Bench) -> u64 {
    if bench.sender.is_on_disk() { 0 } else { bench.sender.pushed() - bench.sender.settled() }
}
