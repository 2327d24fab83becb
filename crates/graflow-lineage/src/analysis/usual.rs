//! What something usually takes, and from when on it takes longer than that.

/// With fewer durations nothing is called slower than usual.
pub const LEAST_HISTORY: usize = 10;

/// How many standard deviations above the median is not usual.
const DEVIATIONS: f64 = 3.0;
/// From the median absolute deviation to the standard deviation, for a normal distribution.
const MAD_TO_DEVIATION: f64 = 1.4826;
/// Few durations scatter less than many of the same kind would: their deviation is taken larger by this many of them.
const SMALL_SAMPLE: f64 = 3.0;
/// Durations scatter at least by a tenth: a history of equal ones does not make the next millisecond unusual.
const LEAST_DEVIATION: f64 = 0.1;

/// What something usually takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usual {
    /// The median, in microseconds; none without history.
    pub median_us: Option<u64>,
    /// What takes more microseconds than this is slower than usual; none with too little history.
    pub slower_above_us: Option<u64>,
    /// Of how many durations that is.
    pub history: usize,
}

impl Usual {
    /// Whether a duration is longer than usual; none with too little history.
    pub fn is_slower(&self, micros: u64) -> Option<bool> {
        self.slower_above_us.map(|limit| micros > limit)
    }
}

/// What these durations, in microseconds, say is usual.
///
/// The limit is a robust z-score of the logarithms: times scatter by factors, not by sums, and one run that hung must not
/// make the next one that hangs look usual. On durations that scatter log-normally, by up to 30 percent, at most one in a
/// hundred is above it by chance; on such as scatter by 10 percent nearly every one that takes twice as long is.
pub fn usual(micros: &[u64]) -> Usual {
    let mut sorted = micros.to_vec();
    sorted.sort_unstable();
    let median_us = match sorted.len() {
        0 => None,
        count if count % 2 == 1 => Some(sorted[count / 2]),
        count => Some(u64::midpoint(sorted[count / 2 - 1], sorted[count / 2])),
    };
    let slower_above_us = (sorted.len() >= LEAST_HISTORY).then(|| {
        let mut logarithms: Vec<_> = sorted.iter().map(|micros| float(*micros).max(1.0).ln()).collect();
        let center = median(&mut logarithms);
        let mut distances: Vec<_> = logarithms.iter().map(|value| (value - center).abs()).collect();
        let small_sample = 1.0 + SMALL_SAMPLE / float(sorted.len() as u64);
        let deviation = (median(&mut distances) * MAD_TO_DEVIATION * small_sample).max(LEAST_DEVIATION);
        whole((center + DEVIATIONS * deviation).exp())
    });
    Usual { median_us, slower_above_us, history: sorted.len() }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds: exact for 285 years")]
fn float(micros: u64) -> f64 {
    micros as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it saturates, and is never negative"
)]
fn whole(micros: f64) -> u64 {
    micros as u64
}
