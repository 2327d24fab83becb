//! How many lines there are: cheap, or exact.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::folder::lines_of;

/// A number of lines.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Lines {
    pub(crate) count: u64,
    /// Whether every file was read.
    pub(crate) is_exact: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum CountError {
    #[error("the estimate does not hold: it says {estimated:.0} lines for files that have {counted:.0}")]
    Disagreement { estimated: f64, counted: f64 },
    #[error("cannot read the folder")]
    Unreadable(#[from] io::Error),
}

impl CountError {
    pub(crate) fn is_disagreement(&self) -> bool {
        matches!(self, Self::Disagreement { .. })
    }
}

/// How far an estimate may be off.
const TOLERANCE: f64 = 0.01;

/// Reads every tenth file, and takes the lines of all others from their size. The same is done for files that are
/// then counted to see whether it holds.
pub(crate) fn estimate(files: &[PathBuf]) -> Result<Lines, CountError> {
    let (mut lines, mut bytes) = (0.0, 0.0);
    for file in files.iter().step_by(10) {
        let content = read(file);
        lines += as_f64(lines_of(&content));
        bytes += as_f64(content.len() as u64);
    }
    let lines_a_byte = if bytes > 0.0 { lines / bytes } else { 0.0 };
    let estimated = |size: u64| as_f64(size) * lines_a_byte;

    let (mut guess, mut counted) = (0.0, 0.0);
    for file in files.iter().skip(5).step_by(10) {
        guess += estimated(size(file));
        counted += as_f64(lines_of(&read(file)));
    }
    if (guess - counted).abs() > counted * TOLERANCE {
        return Err(CountError::Disagreement { estimated: guess, counted });
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of lines")]
    let count = estimated(files.iter().map(|file| size(file)).sum()).round() as u64;
    Ok(Lines { count, is_exact: false })
}

/// Reads them all.
pub(crate) fn exactly(files: &[PathBuf]) -> Lines {
    Lines { count: files.iter().map(|file| lines_of(&read(file))).sum(), is_exact: true }
}

/// A file that is gone by now, or that may not be read, has no lines.
fn read(file: &Path) -> Vec<u8> {
    fs::read(file).unwrap_or_default()
}

fn size(file: &Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}

#[expect(clippy::cast_precision_loss, reason = "it is an estimate")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
