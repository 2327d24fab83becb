use std::collections::BTreeMap;

use graflow_model::TaskStatus;

use super::arrange::hull;
use super::item::{Follows, Item, ItemKind, Tally};

/// Siblings up to which every one has a row.
const SIBLINGS: usize = 24;
/// Tasks of a family that are shown though the family is not: those in trouble, and those that run.
const SHOWN_OF_FAMILY: usize = 5;
/// Rows of a family from which on it is worth one row for all.
const FAMILY: usize = 4;

/// A tree of thousands in a screenful: families of siblings become one row each, trouble keeps its own.
pub(crate) fn summarise(items: Vec<Item>) -> Vec<Item> {
    let items: Vec<Item> = items
        .into_iter()
        .map(|mut item| {
            item.children = summarise(item.children);
            item
        })
        .collect();
    if items.len() <= SIBLINGS {
        return items;
    }
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    for item in &items {
        *sizes.entry(item.family.clone()).or_default() += 1;
    }
    let mut families: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    let mut kept: Vec<(usize, Item)> = Vec::new();
    let mut first_of: BTreeMap<String, usize> = BTreeMap::new();
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    for (index, item) in items.into_iter().enumerate() {
        let alone = sizes.get(&item.family).copied().unwrap_or(0) < FAMILY || !item.children.is_empty();
        let of_note = item.is_trouble() || matches!(item.status, TaskStatus::Running | TaskStatus::Waiting);
        if alone {
            kept.push((index, item));
            continue;
        }
        first_of.entry(item.family.clone()).or_insert(index);
        let already = shown.entry(item.family.clone()).or_default();
        if of_note && *already < SHOWN_OF_FAMILY {
            *already += 1;
            kept.push((index, Item { follows: Follows::RowAbove, ..item }));
        } else {
            families.entry(item.family.clone()).or_default().push(item);
        }
    }
    for (family, members) in families {
        let index = first_of.get(&family).copied().unwrap_or(0);
        kept.push((index, as_one(family, &members, ItemKind::Family)));
    }
    // A family's row stands before its members that are shown.
    kept.sort_by_key(|(index, item)| (*index, !matches!(item.kind, ItemKind::Family(_))));
    let mut rows: Vec<Item> = kept.into_iter().map(|(_, item)| item).collect();
    if rows.len() > 4 * SIBLINGS {
        let rest = rows.split_off(4 * SIBLINGS);
        rows.push(as_one("more".to_owned(), &rest, ItemKind::Rest));
    }
    rows
}

/// Only what failed, with the rows that lead there.
pub(crate) fn only_failed(items: Vec<Item>) -> Vec<Item> {
    items
        .into_iter()
        .filter_map(|mut item| {
            item.children = only_failed(item.children);
            item.follows = Follows::RowAbove;
            (item.is_trouble() || !item.children.is_empty()).then_some(item)
        })
        .collect()
}

fn as_one(name: String, members: &[Item], kind: fn(Tally) -> ItemKind) -> Item {
    let mut tally = Tally::default();
    for member in members {
        match &member.kind {
            ItemKind::Family(other) | ItemKind::Rest(other) => {
                tally.tasks += other.tasks;
                for (status, number) in &other.by_status {
                    *tally.by_status.entry(*status).or_default() += number;
                }
            }
            ItemKind::Task | ItemKind::Group(_) => {
                tally.tasks += 1;
                *tally.by_status.entry(member.status).or_default() += 1;
            }
        }
    }
    let mut seconds: Vec<f64> = members.iter().filter_map(|member| member.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    tally.median_seconds = seconds.get(seconds.len() / 2).copied();
    tally.longest_seconds = seconds.last().copied();
    let status = members.iter().map(|member| member.status).max_by_key(|status| status.severity());
    Item {
        family: name.clone(),
        name,
        kind: kind(tally),
        status: status.unwrap_or(TaskStatus::Pending),
        seconds: None,
        span: members.iter().fold(None, |span, member| hull(span, member.span)),
        iterations: 0,
        retried: members.iter().map(|member| member.retried).sum(),
        error: None,
        reason: None,
        follows: Follows::RowAbove,
        children: Vec::new(),
    }
}
