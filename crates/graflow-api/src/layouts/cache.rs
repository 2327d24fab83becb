//! Pictures that pages look at.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use graflow_layout::layout;
use graflow_model::row::Graph;
use graflow_model::{ExecutionId, Project, Seq};
use graflow_wire as wire;

use super::followed::{Changes, Followed};
use super::scene::{Folding, Scene};

/// Cards and edges that are remembered, over all pictures: about 100 MB.
const ROOM: usize = 600_000;
/// Pictures that are remembered, however small.
const PICTURES: usize = 256;

/// What a picture is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    pub(crate) project: Project,
    pub(crate) execution_id: ExecutionId,
    pub(crate) folding: Folding,
}

/// Pictures by number, the least recently used forgotten first. What is lost is only time: a page whose picture is
/// forgotten gets a new one, whole.
#[derive(Debug, Default)]
pub(crate) struct Layouts(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    pictures: HashMap<u64, Slot>,
    made: u64,
    used: u64,
}

#[derive(Debug)]
struct Slot {
    subject: Subject,
    weight: usize,
    last_used: u64,
    followed: Arc<Mutex<Followed>>,
}

impl Layouts {
    /// The layout of the graph: what changed since `after` in the picture that it names, or all of a new one.
    pub(crate) fn answer(
        &self,
        instance: &str,
        subject: &Subject,
        graph: &Graph,
        as_of_seq: Seq,
        after: Option<&str>,
    ) -> wire::Layout {
        let scene = Scene::new(graph, &subject.folding);
        let known = after.and_then(|after| Version::parse(instance, after));
        let found = known.and_then(|version| Some((version, self.find(subject, version.picture)?)));
        if let Some((version, (followed, is_same_folding))) = found {
            let mut locked = followed.lock().unwrap_or_else(PoisonError::into_inner);
            if version.generation <= locked.generation {
                // Folded another way it is a picture of its own: others go on with the one it comes from.
                let mut copy = (!is_same_folding).then(|| locked.clone());
                let mine = copy.as_mut().unwrap_or(&mut locked);
                mine.advance(scene);
                let (generation, weight) = (mine.generation, mine.weight());
                let changes = mine.since(Some(version.generation));
                drop(locked);
                let picture = match copy {
                    Some(copy) => self.keep(subject.clone(), weight, Arc::new(Mutex::new(copy))),
                    None => self.weigh(version.picture, weight),
                };
                let now = Version { picture, generation };
                return finish(changes, subject, instance, now, Some(version), as_of_seq);
            }
        }
        let (picture, followed) = self.fresh(subject, scene);
        let followed = followed.lock().unwrap_or_else(PoisonError::into_inner);
        let version = Version { picture, generation: followed.generation };
        finish(followed.since(None), subject, instance, version, None, as_of_seq)
    }

    /// A picture of the execution, and whether it is folded as asked.
    fn find(&self, subject: &Subject, number: u64) -> Option<(Arc<Mutex<Followed>>, bool)> {
        let mut stock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stock.used += 1;
        let used = stock.used;
        let is_of =
            |of: &Subject| (&of.project, &of.execution_id) == (&subject.project, &subject.execution_id);
        let slot = stock.pictures.get_mut(&number).filter(|slot| is_of(&slot.subject))?;
        slot.last_used = used;
        Some((Arc::clone(&slot.followed), slot.subject.folding == subject.folding))
    }

    /// A picture that is not the worse for having grown: one that was laid out as a whole.
    fn fresh(&self, subject: &Subject, scene: Scene) -> (u64, Arc<Mutex<Followed>>) {
        let same = {
            let pictures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let of_subject = pictures.pictures.iter().filter(|(_, slot)| slot.subject == *subject);
            let mut of_subject: Vec<_> =
                of_subject.map(|(number, slot)| (*number, Arc::clone(&slot.followed))).collect();
            of_subject.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
            of_subject
        };
        for (number, followed) in same {
            let mut locked = followed.lock().unwrap_or_else(PoisonError::into_inner);
            if locked.generation == 1 && locked.scene.looks_like(&scene) {
                locked.scene = scene;
                drop(locked);
                return (number, followed);
            }
        }
        let picture = scene.graph().map(|graph| layout(&graph, None)).unwrap_or_default();
        let mut followed = Followed::default();
        followed.take(scene, picture);
        let weight = followed.weight();
        let followed = Arc::new(Mutex::new(followed));
        (self.keep(subject.clone(), weight, Arc::clone(&followed)), followed)
    }

    fn keep(&self, subject: Subject, weight: usize, followed: Arc<Mutex<Followed>>) -> u64 {
        let mut stock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stock.made += 1;
        stock.used += 1;
        let (number, last_used) = (stock.made, stock.used);
        stock.pictures.insert(number, Slot { subject, weight, last_used, followed });
        stock.make_room(number);
        number
    }

    /// A picture has grown.
    fn weigh(&self, number: u64, weight: usize) -> u64 {
        let mut stock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = stock.pictures.get_mut(&number) {
            slot.weight = weight;
        }
        stock.make_room(number);
        number
    }
}

impl Shelf {
    /// Forgets what was not used for longest, but never the one in hand.
    fn make_room(&mut self, in_hand: u64) {
        let mut weight: usize = self.pictures.values().map(|slot| slot.weight).sum();
        while weight > ROOM || self.pictures.len() > PICTURES {
            let others = self.pictures.iter().filter(|(number, _)| **number != in_hand);
            let Some(oldest) = others.min_by_key(|(_, slot)| slot.last_used).map(|(number, _)| *number)
            else {
                return;
            };
            weight -= self.pictures.remove(&oldest).map_or(0, |slot| slot.weight);
        }
    }
}

/// A state of a picture: `INSTANCE.PICTURE.GENERATION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    picture: u64,
    generation: u64,
}

impl Version {
    /// None: it is of another server, or none at all.
    fn parse(instance: &str, text: &str) -> Option<Self> {
        let (picture, generation) = text.strip_prefix(instance)?.strip_prefix('.')?.split_once('.')?;
        Some(Self { picture: picture.parse().ok()?, generation: generation.parse().ok()? })
    }

    fn text(self, instance: &str) -> String {
        format!("{instance}.{}.{}", self.picture, self.generation)
    }
}

fn finish(
    changes: Changes,
    subject: &Subject,
    instance: &str,
    version: Version,
    base: Option<Version>,
    as_of_seq: Seq,
) -> wire::Layout {
    wire::Layout {
        execution_id: subject.execution_id.clone(),
        version: version.text(instance),
        base: base.map(|base| base.text(instance)),
        bounds: changes.bounds,
        nodes: changes.nodes,
        groups: changes.groups,
        edges: changes.edges,
        removed_nodes: changes.removed_nodes,
        removed_edges: changes.removed_edges,
        as_of_seq,
    }
}
