//! Numbers with their units, as a person would say them.

use graflow_model::Timestamp;

/// Seconds, with three digits that matter.
///
/// From a minute on with minutes, from an hour on with hours.
pub(crate) fn duration(seconds: f64) -> String {
    let micros = (seconds.max(0.0) * 1e6).round();
    match () {
        () if micros < 999.5 => format!("{micros:.0} µs"),
        () if micros < 9_995.0 => format!("{:.2} ms", micros / 1e3),
        () if micros < 99_950.0 => format!("{:.1} ms", micros / 1e3),
        () if micros < 999_500.0 => format!("{:.0} ms", micros / 1e3),
        () if micros < 9_995_000.0 => format!("{:.2} s", micros / 1e6),
        () if micros < 59_950_000.0 => format!("{:.1} s", micros / 1e6),
        () => {
            let seconds = whole(micros / 1e6);
            let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
            match (days, seconds / 3_600) {
                (0, 0) => format!("{minutes} m {:02} s", seconds % 60),
                (0, _) => format!("{hours} h {minutes:02} m"),
                _ => format!("{days} d {hours:02} h"),
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded and not negative; a cast of what is too large stays at the greatest number"
)]
fn whole(seconds: f64) -> u64 {
    seconds.round().max(0.0) as u64
}

/// How long ago, in one unit.
pub(crate) fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.micros_since(then) / 1_000_000;
    match seconds {
        ..-1 => "in the future".to_owned(),
        -1..=1 => "just now".to_owned(),
        2..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// A point in time, to the second.
pub(crate) fn when(time: Timestamp) -> String {
    let text = time.to_string();
    match (text.get(..10), text.get(11..19)) {
        (Some(day), Some(second)) => format!("{day} {second} UTC"),
        _ => text,
    }
}

/// The time of a day, to the millisecond.
pub(crate) fn time_of_day(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(11..23).map_or(text.clone(), ToOwned::to_owned)
}

/// A number with its thousands set apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of things.
pub(crate) fn plural(number: u64, one: &str) -> String {
    let number_text = count(number);
    if number == 1 { format!("{number_text} {one}") } else { format!("{number_text} {one}s") }
}

/// Bytes, in units of 1,024.
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub(crate) fn bytes(number: u64) -> String {
    let mut amount = number as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if amount < 1_023.95 {
            return if unit == "B" { format!("{number} B") } else { format!("{amount:.1} {unit}") };
        }
        amount /= 1_024.0;
    }
    format!("{amount:.1} TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_that_matter() {
        for (seconds, text) in [
            (0.0, "0 µs"),
            (0.000_012, "12 µs"),
            (0.000_999_6, "1.00 ms"),
            (0.001_234, "1.23 ms"),
            (0.012_34, "12.3 ms"),
            (0.340_2, "340 ms"),
            (0.999_7, "1.00 s"),
            (1.2, "1.20 s"),
            (12.34, "12.3 s"),
            (59.96, "1 m 00 s"),
            (125.4, "2 m 05 s"),
            (3_780.0, "1 h 03 m"),
            (200_000.0, "2 d 07 h"),
            (-1.0, "0 µs"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn ages_have_one_unit() {
        let now = Timestamp::from_micros(1_000_000_000_000);
        let ago = |seconds: i64| age(now, Timestamp::from_micros(now.as_micros() - seconds * 1_000_000));
        let said: Vec<_> = [-9, 0, 59, 60, 7_200, 200_000].into_iter().map(ago).collect();
        assert_eq!(said, ["in the future", "just now", "59 s ago", "1 min ago", "2 h ago", "2 d ago"]);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(plural(1, "task"), "1 task");
        assert_eq!(plural(0, "task"), "0 tasks");
        assert_eq!(bytes(1_023), "1023 B");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes(1_048_575), "1.0 MiB");
        let time: Timestamp = "2026-11-23T12:00:00.123456Z".parse().unwrap();
        assert_eq!(when(time), "2026-11-23 12:00:00 UTC");
        assert_eq!(time_of_day(time), "12:00:00.123");
    }
}
