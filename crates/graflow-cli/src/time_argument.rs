//! Times and durations as people type them.

use std::time::Duration;

use graflow_model::Timestamp;

/// A duration: a whole number and a unit (`ms`, `s`, `m`, `h`, `d`, `w`).
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "`{text}` is no duration; write a whole number and a unit (ms, s, m, h, d, w), such as 90s or 2h"
        )
    };
    let unit_at = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(wrong)
}

/// A point in time as it was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeArgument {
    /// So long ago.
    Ago(Duration),
    /// Then.
    At(Timestamp),
}

impl TimeArgument {
    /// The point in time, seen from now.
    pub(crate) fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(duration) => {
                let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
                Timestamp::from_micros(now.as_micros().saturating_sub(micros))
            }
        }
    }
}

/// A day, an RFC 3339 time, or a duration before now.
pub(crate) fn parse_time(text: &str) -> Result<TimeArgument, String> {
    if let Ok(time) = text.parse() {
        return Ok(TimeArgument::At(time));
    }
    if let Ok(time) = format!("{text}T00:00:00Z").parse() {
        return Ok(TimeArgument::At(time));
    }
    parse_duration(text).map(TimeArgument::Ago).map_err(|_| {
        format!(
            "`{text}` is no time; write 2026-11-23, 2026-11-23T12:00:00Z, or how long ago, such as 2h or 7d"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_hours(2)));
        for wrong in ["", "5", "h", "-1s", "1.5h", "99999999999999999w", "5 s"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        for (text, time) in [
            ("2026-11-01", "2026-11-01T00:00:00.000000Z"),
            ("2026-11-01T10:00:00+01:00", "2026-11-01T09:00:00.000000Z"),
            ("2h", "2026-11-23T10:00:00.000000Z"),
            ("7d", "2026-11-16T12:00:00.000000Z"),
        ] {
            assert_eq!(parse_time(text).unwrap().resolve(now).to_string(), time, "{text}");
        }
        assert!(parse_time("yesterday").is_err());
    }
}
