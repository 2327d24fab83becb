//! What a failed step said that tells why.

/// How lines begin with which a failure is told: of cargo, of tests, of pytest, of vitest, of our own programs.
const TELLING: [&str; 12] = [
    "error",
    "warning",
    "thread '",
    "---- ",
    "FAILED",
    "FAIL ",
    "E  ",
    "Diff in",
    "AssertionError",
    "Error:",
    "\u{d7} ",
    "again: ",
];
/// What tells of a failure wherever it stands in a line.
const TELLING_ANYWHERE: [&str; 3] = ["... FAILED", "did not hold", "panicked at"];
/// Lines that are shown after a telling one.
const AFTER: usize = 4;
/// Lines that are shown in all.
const MOST: usize = 60;

/// The lines that tell of a failure and what follows them; of nothing telling, the last lines.
pub(super) fn excerpt(said: &str) -> String {
    let lines: Vec<_> = said.lines().collect();
    let mut shown = Vec::new();
    let mut left = 0;
    for &line in &lines {
        left = if is_telling(line) { AFTER + 1 } else { left };
        if left > 0 && !line.trim().is_empty() {
            shown.push(line);
        }
        left = left.saturating_sub(1);
    }
    if shown.is_empty() {
        shown = lines[lines.len().saturating_sub(10)..].to_vec();
    }
    let cut = shown.len().saturating_sub(MOST);
    shown.truncate(MOST);
    let rest = if cut > 0 { format!("\n({cut} lines more above)") } else { String::new() };
    shown.join("\n") + &rest
}

fn is_telling(line: &str) -> bool {
    let line = line.trim_start();
    TELLING.iter().any(|beginning| line.starts_with(beginning))
        || TELLING_ANYWHERE.iter().any(|part| line.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_is_found_with_what_follows() {
        let said = "test a ... ok\ntest b ... FAILED\ntest c ... ok\n\nnoise\nnoise\nnoise\nnoise\n";
        assert_eq!(excerpt(said), "test b ... FAILED\ntest c ... ok\nnoise\nnoise");
        let torture = "held: 3\ndid not hold: 1247 MiB of memory\n\nscenario\n";
        assert_eq!(excerpt(torture), "did not hold: 1247 MiB of memory\nscenario");
    }

    fn lines(word: &str, count: usize) -> String {
        (0..count).map(|line| format!("{word} {line}")).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn of_nothing_telling_the_end_is_shown() {
        let said: String = lines("line", 20);
        assert!(excerpt(&said).starts_with("line 10\n") && excerpt(&said).ends_with("line 19"));
        assert_eq!(excerpt(""), "");
    }

    #[test]
    fn of_much_the_beginning_is_shown() {
        let said: String = lines("error:", 100);
        assert!(excerpt(&said).ends_with("error: 59\n(40 lines more above)"));
    }
}
