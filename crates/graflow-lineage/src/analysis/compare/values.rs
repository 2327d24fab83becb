//! Which values differ, and with which of them that begins.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use graflow_model::row::{DataFlow, WriteRow};
use graflow_model::value::is_hash_skipped;
use graflow_model::{Channel, Key, TaskExecutionId};

use super::Side;

/// The values of two runs. A value is compared with that of the same channel, key and version.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ComparedValues {
    /// Keys with a version that differs; what was written first comes first.
    pub differing: Vec<ValueComparison>,
    /// Keys of which all versions are known to be equal.
    pub equal: u64,
    /// Keys of which nothing is known to differ, but of some version one of the runs has no hash.
    pub unknown: u64,
}

/// A key with a version that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueComparison {
    /// The channel.
    pub channel: Channel,
    /// The key.
    pub key: Key,
    /// The first version that differs.
    pub version: u64,
    /// It in this run; none: the key was not written so often.
    pub here: Option<WriteRow>,
    /// It in the other run.
    pub there: Option<WriteRow>,
    /// Versions in this run.
    pub versions_here: u64,
    /// Versions in the other run.
    pub versions_there: u64,
    /// Whether its writer had read nothing that differs: the difference begins with it.
    pub is_origin: bool,
    /// Microseconds from the start of its run to its write.
    pub after_us: u64,
}

type Name<'a> = (&'a Channel, &'a Key);

pub(super) fn compare_values(here: Side<'_>, there: Side<'_>) -> ComparedValues {
    let (ours, theirs) = (by_key(here.data), by_key(there.data));
    let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).copied().collect();
    let mut values = ComparedValues::default();
    let mut differing_versions = HashSet::new();
    for name in names {
        let none = Vec::new();
        let (ours, theirs) = (ours.get(&name).unwrap_or(&none), theirs.get(&name).unwrap_or(&none));
        let mut first = None;
        let mut is_known = true;
        for place in 0..ours.len().max(theirs.len()) {
            match is_equal(ours.get(place).copied(), theirs.get(place).copied()) {
                Some(true) => {}
                None => is_known = false,
                Some(false) => {
                    first = first.or(Some(place));
                    differing_versions.insert((name.0, name.1, place as u64 + 1));
                }
            }
        }
        let Some(place) = first else {
            *(if is_known { &mut values.equal } else { &mut values.unknown }) += 1;
            continue;
        };
        let (our, their) = (ours.get(place), theirs.get(place));
        values.differing.push(ValueComparison {
            channel: name.0.clone(),
            key: name.1.clone(),
            version: place as u64 + 1,
            here: our.copied().cloned(),
            there: their.copied().cloned(),
            versions_here: ours.len() as u64,
            versions_there: theirs.len() as u64,
            is_origin: false,
            after_us: our.map_or_else(
                || their.map_or(0, |write| there.after(write.time)),
                |write| here.after(write.time),
            ),
        });
    }
    let has_read = [reads(here.data, &differing_versions), reads(there.data, &differing_versions)];
    for value in &mut values.differing {
        let writers = [&value.here, &value.there]
            .map(|write| write.as_ref().and_then(|write| write.task_execution_id.as_ref()));
        value.is_origin = writers.iter().zip(&has_read).all(|(writer, has_read)| {
            writer.is_none_or(|writer| {
                has_read.get(writer).is_none_or(|read| {
                    // What it wrote itself and read again does not count.
                    read.iter().all(|name| *name == (&value.channel, &value.key))
                })
            })
        });
    }
    values.differing.sort_by(|one, other| (one.after_us, &one.key).cmp(&(other.after_us, &other.key)));
    values
}

/// Versions of a key stand in their order.
fn by_key(data: &DataFlow) -> BTreeMap<Name<'_>, Vec<&WriteRow>> {
    let mut keys: BTreeMap<Name<'_>, Vec<&WriteRow>> = BTreeMap::new();
    for write in &data.writes {
        keys.entry((&write.channel, &write.key)).or_default().push(write);
    }
    keys
}

/// None: nobody can say.
fn is_equal(one: Option<&WriteRow>, other: Option<&WriteRow>) -> Option<bool> {
    let (Some(one), Some(other)) = (one, other) else { return Some(false) };
    if one.deleted || other.deleted {
        return Some(one.deleted == other.deleted);
    }
    let known = |write: &'_ WriteRow| write.hash.clone().filter(|hash| !is_hash_skipped(hash));
    Some(known(one)? == known(other)?)
}

/// For each task execution the keys of which it read a version that differs.
fn reads<'a>(
    data: &'a DataFlow,
    differing: &HashSet<(&Channel, &Key, u64)>,
) -> HashMap<&'a TaskExecutionId, Vec<Name<'a>>> {
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for read in &data.reads {
        let (Some(reader), Some(version)) = (&read.task_execution_id, read.version) else { continue };
        if differing.contains(&(&read.channel, &read.key, version)) {
            found.entry(reader).or_default().push((&read.channel, &read.key));
        }
    }
    found
}
