use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};

use crate::settings::{PAGE_DEFAULT, PAGE_MAX};

/// Rows of a page: 1 to 5,000, 1,000 when nothing is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(pub(crate) usize);

impl Default for Limit {
    fn default() -> Self {
        Self(PAGE_DEFAULT)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let rows = text.parse().ok().filter(|rows| (1..=PAGE_MAX).contains(rows));
        rows.map(Self)
            .ok_or_else(|| D::Error::custom(format_args!("expected a whole number from 1 to {PAGE_MAX}")))
    }
}

/// Words with commas between.
#[derive(Debug, Clone)]
pub(crate) struct Words<T>(pub(crate) Vec<T>);

impl<T> Default for Words<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Words<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let words = text.split(',').map(str::trim).map(str::parse);
        words.collect::<Result<_, _>>().map(Self).map_err(D::Error::custom)
    }
}

/// Which rows come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Oldest first.
    #[default]
    Oldest,
    /// Newest first.
    Newest,
}
