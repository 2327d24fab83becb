//! How figures are said.

use std::time::Duration;

/// Milliseconds below which so many of a hundred are; sorted ones.
pub(crate) fn percentile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = (sorted.len() * percent / 100).min(last);
    sorted.get(at).map_or(0.0, |duration| duration.as_secs_f64() * 1_000.0)
}

/// So many in a time, a second.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub(crate) fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// `1,234,567`
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are small and positive")]
pub(crate) fn grouped(number: f64) -> String {
    let digits = (number.round() as u64).to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_for_people() {
        assert_eq!(grouped(7.4), "7");
        assert_eq!(grouped(1_234_567.0), "1,234,567");
        let sorted: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert!((percentile_ms(&sorted, 50) - 51.0).abs() < 1e-9);
        assert!((percentile_ms(&sorted, 99) - 100.0).abs() < 1e-9);
        assert!(percentile_ms(&[], 99).abs() < 1e-9);
    }
}
