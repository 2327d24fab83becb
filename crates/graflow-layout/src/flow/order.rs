//! The order of each layer: few edges should cross.

use super::layered::Layered;
use super::real;

/// Up to so many vertices neighbours are also tried the other way round.
const TRANSPOSED: usize = 1_500;

/// Orders the layers: first as a walk along the edges finds the vertices, then by the mean place of their
/// neighbours, forwards and backwards in turn; the best order of all is kept.
pub(crate) fn order_layers(layered: &mut Layered) {
    first_order(layered);
    let is_small = layered.layer_of.len() <= TRANSPOSED;
    let mut best = layered.layers.clone();
    let mut fewest = crossings(layered);
    let (sweeps, patience) = if is_small { (24, 6) } else { (8, 2) };
    let mut without_gain = 0;
    for sweep in 0..sweeps {
        if fewest == 0 || without_gain == patience {
            break;
        }
        order_by_neighbours(layered, sweep % 2 == 0);
        if is_small {
            transpose(layered);
        }
        let found = crossings(layered);
        if found < fewest {
            fewest = found;
            best.clone_from(&layered.layers);
            without_gain = 0;
        } else {
            without_gain += 1;
        }
    }
    for (layer, order) in best.into_iter().enumerate() {
        layered.set_order(layer, order);
    }
}

/// Dummies of back edges come first and so lie on top, the longest outside; then depth first.
fn first_order(layered: &mut Layered) {
    let mut order = vec![Vec::new(); layered.layers.len()];
    let mut seen = vec![false; layered.layer_of.len()];
    let mut back: Vec<_> = layered
        .chains
        .iter()
        .flatten()
        .filter(|chain| !chain.is_empty() && is_back_chain(layered, chain.start))
        .collect();
    back.sort_by_key(|chain| std::cmp::Reverse(chain.len()));
    for dummy in back.into_iter().flat_map(Clone::clone) {
        seen[dummy] = true;
        order[layered.layer_of[dummy]].push(dummy);
    }
    let mut stack = Vec::new();
    for start in layered.layers.iter().flatten().copied() {
        stack.push(start);
        while let Some(vertex) = stack.pop() {
            if std::mem::replace(&mut seen[vertex], true) {
                continue;
            }
            order[layered.layer_of[vertex]].push(vertex);
            stack.extend(layered.after.of(vertex).iter().rev().map(|segment| layered.segments[*segment].1));
        }
    }
    for (layer, order) in order.into_iter().enumerate() {
        layered.set_order(layer, order);
    }
}

fn is_back_chain(layered: &Layered, first: usize) -> bool {
    layered.before.of(first).iter().any(|segment| layered.is_loose[*segment])
}

fn order_by_neighbours(layered: &mut Layered, forwards: bool) {
    let count = layered.layers.len();
    for step in 1..count {
        let layer = if forwards { step } else { count - 1 - step };
        let mut keyed: Vec<(f64, usize)> = layered.layers[layer]
            .iter()
            .map(|&vertex| (mean_place(layered, vertex, forwards), vertex))
            .collect();
        keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
        layered.set_order(layer, keyed.into_iter().map(|(_, vertex)| vertex).collect());
    }
}

/// Where a vertex would best be by its neighbours. Arcs that lead back come to lie above the cards that they join, and do
/// not draw these aside.
fn mean_place(layered: &Layered, vertex: usize, forwards: bool) -> f64 {
    let segments = if forwards { layered.before.of(vertex) } else { layered.after.of(vertex) };
    let (mut sum, mut count) = (0.0, 0);
    for &segment in segments {
        let is_loose = layered.is_loose[segment];
        if is_loose && !layered.is_dummy(vertex) {
            continue;
        }
        let (early, late) = layered.segments[segment];
        sum += real(layered.place[if forwards { early } else { late }]) - if is_loose { 0.5 } else { 0.0 };
        count += 1;
    }
    if count == 0 { real(layered.place[vertex]) } else { sum / real(count) }
}

/// Exchanges neighbours as long as that saves crossings.
fn transpose(layered: &mut Layered) {
    for _ in 0..8 {
        let mut has_gained = false;
        for layer in 0..layered.layers.len() {
            for place in 1..layered.layers[layer].len() {
                let (upper, lower) = (layered.layers[layer][place - 1], layered.layers[layer][place]);
                let (now, then) = crossings_of_pair(layered, upper, lower);
                if then < now {
                    layered.layers[layer].swap(place - 1, place);
                    layered.place.swap(upper, lower);
                    has_gained = true;
                }
            }
        }
        if !has_gained {
            return;
        }
    }
}

/// How often the edges of two neighbours cross, and how often they would the other way round.
fn crossings_of_pair(layered: &Layered, upper: usize, lower: usize) -> (usize, usize) {
    let (mut now, mut then) = (0, 0);
    for forwards in [true, false] {
        let places = |vertex: usize| {
            let segments = if forwards { layered.after.of(vertex) } else { layered.before.of(vertex) };
            segments.iter().filter(|segment| !layered.is_loose[**segment]).map(move |segment| {
                let (early, late) = layered.segments[*segment];
                layered.place[if forwards { late } else { early }]
            })
        };
        for one in places(upper) {
            for other in places(lower) {
                now += usize::from(one > other);
                then += usize::from(one < other);
            }
        }
    }
    (now, then)
}

/// How often edges cross, over all layers, the ends of arcs left out: pairs in the wrong order, counted with a Fenwick tree.
pub(crate) fn crossings(layered: &Layered) -> usize {
    let mut total = 0;
    let mut tree = Vec::new();
    let mut targets = Vec::new();
    for (layer, vertices) in layered.layers.iter().enumerate() {
        let Some(next) = layered.layers.get(layer + 1) else { break };
        tree.clear();
        tree.resize(next.len() + 1, 0_usize);
        let mut seen = 0;
        for vertex in vertices {
            targets.clear();
            let counted = layered.after.of(*vertex).iter().filter(|segment| !layered.is_loose[**segment]);
            targets.extend(counted.map(|segment| layered.place[layered.segments[*segment].1]));
            targets.sort_unstable();
            for target in &targets {
                // How many of those before end at this place or above it.
                let mut node = target + 1;
                let mut before = 0;
                while node > 0 {
                    before += tree[node];
                    node &= node - 1;
                }
                total += seen - before;
            }
            for target in &targets {
                let mut node = target + 1;
                while node < tree.len() {
                    tree[node] += 1;
                    node += node & node.wrapping_neg();
                }
                seen += 1;
            }
        }
    }
    total
}
