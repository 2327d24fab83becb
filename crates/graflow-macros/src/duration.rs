//! Durations as people write them: `200ms`, `1.5s`, `2m`.

use std::time::Duration;

/// Reads a duration.
///
/// # Errors
/// In words, what would have been right.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!("`{text}` is no duration; write a number and a unit (ns, us, ms, s, m, h), such as \"200ms\"")
    };
    let text = text.trim();
    let unit_at = text.find(|letter: char| letter.is_ascii_alphabetic()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let unit_seconds = match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    Duration::try_from_secs_f64(number * unit_seconds).map_err(|_| wrong())
}

/// Reads a range of durations, `200ms..5s`; one duration alone is a range without growth.
///
/// # Errors
/// In words, what would have been right.
pub(crate) fn parse_backoff(text: &str) -> Result<(Duration, Duration), String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (parse_duration(first)?, parse_duration(last)?);
    if last < first {
        return Err(format!(
            "`{text}` ends before it begins; write the shortest wait first, such as \"200ms..5s\""
        ));
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("200ms", Some(Duration::from_millis(200))),
            ("1.5s", Some(Duration::from_millis(1500))),
            (" 2 m", Some(Duration::from_mins(2))),
            ("1h", Some(Duration::from_hours(1))),
            ("7us", Some(Duration::from_micros(7))),
            ("3", None),
            ("s", None),
            ("-1s", None),
            ("1 fortnight", None),
            ("infs", None),
        ] {
            assert_eq!(parse_duration(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn backoffs() {
        let (millis, secs) = (Duration::from_millis, Duration::from_secs);
        assert_eq!(parse_backoff("200ms..5s"), Ok((millis(200), secs(5))));
        assert_eq!(parse_backoff("1s"), Ok((secs(1), secs(1))));
        assert!(parse_backoff("5s..1s").is_err());
        assert!(parse_backoff("..").is_err());
    }
}
