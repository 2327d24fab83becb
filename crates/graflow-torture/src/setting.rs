//! What a scenario is run with.

use std::path::PathBuf;

/// How much is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Seconds a scenario: for every change.
    Short,
    /// Minutes a scenario: once in a while.
    Full,
}

/// What a scenario is run with.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The program `graflow`.
    pub program: PathBuf,
    /// Where chance begins. A scenario within one process does the same again from the same seed; where real processes are
    /// killed it repeats the plan, not the moments.
    pub seed: u64,
    /// Rounds, of scenarios that have them; none = as many as the size says.
    pub rounds: Option<u64>,
    /// How much is done.
    pub size: Size,
}

impl Setting {
    /// Rounds, where nobody said how many: so many in a short run, so many in a full one.
    pub(crate) fn rounds(&self, short: u64, full: u64) -> u64 {
        self.rounds.unwrap_or(self.of_size(short, full))
    }

    pub(crate) fn of_size<T>(&self, short: T, full: T) -> T {
        match self.size {
            Size::Short => short,
            Size::Full => full,
        }
    }
}
