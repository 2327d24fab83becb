//! Counting what passed and what failed.

use std::iter::Sum;

use crate::process::Finished;

/// How many checks passed, how many failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// A check that passed.
    pub(crate) const PASSED: Self = Self { passed: 1, failed: 0 };
    /// A check that failed.
    pub(crate) const FAILED: Self = Self { passed: 0, failed: 1 };

    /// One check, by how its program ended.
    pub(crate) fn of_check(finished: &Finished) -> Self {
        if finished.status.success() { Self::PASSED } else { Self::FAILED }
    }

    /// The tests that `cargo test` ran. Nothing ran, or it failed without a failed test (it does not compile, a
    /// process died): one failure more.
    pub(crate) fn of_tests(finished: &Finished) -> Self {
        let sum: Self = finished.output.lines().filter_map(of_result_line).sum();
        let unexplained = !finished.status.success() && sum.failed == 0;
        if unexplained || sum == Self::default() { sum + Self::FAILED } else { sum }
    }

    /// The tests that pytest ran, by its last line: `1 failed, 30 passed, 2 errors in 12.34s`. A test that was skipped
    /// showed nothing: it counts as failed.
    pub(crate) fn of_pytest(finished: &Finished) -> Self {
        let line =
            finished.output.lines().rev().find(|line| line.contains(" in ") && line.contains("passed"));
        let words: Vec<_> =
            line.unwrap_or_default().split([' ', ',', '=']).filter(|word| !word.is_empty()).collect();
        let count = |what: &str| {
            let pair = words.windows(2).find(|pair| pair[1].starts_with(what));
            pair.and_then(|pair| pair[0].parse::<u64>().ok()).unwrap_or(0)
        };
        let sum =
            Self { passed: count("passed"), failed: count("failed") + count("error") + count("skipped") };
        let unexplained = !finished.status.success() && sum.failed == 0;
        if unexplained || sum == Self::default() { sum + Self::FAILED } else { sum }
    }

    /// The tests that vitest ran, by its line `Tests  1 failed | 30 passed (31)`. A skipped one showed nothing: it counts as
    /// failed.
    pub(crate) fn of_vitest(finished: &Finished) -> Self {
        let line = finished.output.lines().rev().find_map(|line| line.trim().strip_prefix("Tests "));
        let words: Vec<_> = line.unwrap_or_default().split_whitespace().collect();
        let count = |what: &str| {
            let pair = words.windows(2).find(|pair| pair[1] == what);
            pair.and_then(|pair| pair[0].parse::<u64>().ok()).unwrap_or(0)
        };
        let sum = Self { passed: count("passed"), failed: count("failed") + count("skipped") };
        let unexplained = !finished.status.success() && sum.failed == 0;
        if unexplained || sum == Self::default() { sum + Self::FAILED } else { sum }
    }

    /// What a program of ours says in its last line: `N passed, N failed`. No such line: one failure more.
    pub(crate) fn of_last_line(finished: &Finished) -> Self {
        let words: Vec<_> =
            finished.output.lines().next_back().unwrap_or_default().split([' ', ',']).collect();
        let sum = match *words.as_slice() {
            [passed, "passed", "", failed, "failed"] => {
                passed.parse().ok().zip(failed.parse().ok()).map(|(passed, failed)| Self { passed, failed })
            }
            _ => None,
        };
        let sum = sum.unwrap_or_default();
        let unexplained = !finished.status.success() && sum.failed == 0;
        if unexplained || sum == Self::default() { sum + Self::FAILED } else { sum }
    }

    /// Programs that cargo ran and that print no result of their own, such as benchmarks in test mode.
    pub(crate) fn of_programs(finished: &Finished) -> Self {
        let ran =
            finished.output.lines().filter(|line| line.trim_start().starts_with("Running ")).count() as u64;
        match (finished.status.success(), ran) {
            (true, 0) => Self::FAILED,
            (true, _) => Self { passed: ran, failed: 0 },
            (false, _) => Self { passed: ran.saturating_sub(1), failed: 1 },
        }
    }
}

impl std::ops::Add for Tally {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |sum, tally| sum + tally)
    }
}

/// Reads `test result: ok. 5 passed; 0 failed; 1 ignored; …`.
fn of_result_line(line: &str) -> Option<Tally> {
    let counts = line.trim_start().strip_prefix("test result: ")?;
    let count = |what: &str| {
        let words: Vec<_> = counts.split([' ', ';']).filter(|word| !word.is_empty()).collect();
        words.windows(2).find(|pair| pair[1] == what).and_then(|pair| pair[0].parse().ok())
    };
    Some(Tally { passed: count("passed")?, failed: count("failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn finished(succeeds: bool, output: &str) -> Finished {
        let status = Command::new(if succeeds { "true" } else { "false" }).status().unwrap();
        Finished { status, output: output.to_owned() }
    }

    const TWO_BINARIES: &str = "\
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
noise about test result: 3 passed
test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
";

    #[test]
    fn result_lines_are_summed() {
        assert_eq!(Tally::of_tests(&finished(false, TWO_BINARIES)), Tally { passed: 15, failed: 2 });
    }

    #[test]
    fn a_failure_without_a_failed_test_counts() {
        assert_eq!(Tally::of_tests(&finished(false, "error: could not compile")), Tally::FAILED);
        let green = TWO_BINARIES.lines().next().unwrap();
        assert_eq!(Tally::of_tests(&finished(false, green)), Tally { passed: 12, failed: 1 });
    }

    #[test]
    fn nothing_run_is_a_failure() {
        assert_eq!(Tally::of_tests(&finished(true, "")), Tally::FAILED);
        assert_eq!(Tally::of_programs(&finished(true, "")), Tally::FAILED);
    }

    #[test]
    fn the_last_line_of_pytest_is_read() {
        for (succeeds, output, expected) in [
            (true, "....\n4 passed in 1.20s\n", Tally { passed: 4, failed: 0 }),
            (false, "=== 1 failed, 3 passed, 2 errors in 1.20s ===", Tally { passed: 3, failed: 3 }),
            (true, "3 passed, 1 skipped in 1.20s", Tally { passed: 3, failed: 1 }),
            (false, "3 passed in 1.20s", Tally { passed: 3, failed: 1 }),
            (false, "collected nothing", Tally::FAILED),
            (true, "", Tally::FAILED),
        ] {
            assert_eq!(Tally::of_pytest(&finished(succeeds, output)), expected, "{output}");
        }
    }

    #[test]
    fn the_sum_of_vitest_is_read() {
        for (succeeds, output, expected) in [
            (
                true,
                " Test Files  7 passed (7)\n      Tests  60 passed (60)\n",
                Tally { passed: 60, failed: 0 },
            ),
            (false, "      Tests  1 failed | 59 passed (60)\n", Tally { passed: 59, failed: 1 }),
            (true, "      Tests  2 passed | 1 skipped (3)\n", Tally { passed: 2, failed: 1 }),
            (false, "      Tests  2 passed (2)\n", Tally { passed: 2, failed: 1 }),
            (true, "no test files found", Tally::FAILED),
        ] {
            assert_eq!(Tally::of_vitest(&finished(succeeds, output)), expected, "{output}");
        }
    }

    #[test]
    fn the_last_line_of_our_own_programs_is_read() {
        for (succeeds, output, expected) in [
            (true, "noise\n4 passed, 0 failed\n", Tally { passed: 4, failed: 0 }),
            (false, "3 passed, 1 failed", Tally { passed: 3, failed: 1 }),
            (false, "4 passed, 0 failed", Tally { passed: 4, failed: 1 }),
            (true, "4 passed, 0 failed\nand then it died", Tally::FAILED),
            (true, "", Tally::FAILED),
        ] {
            assert_eq!(Tally::of_last_line(&finished(succeeds, output)), expected, "{output}");
        }
    }

    #[test]
    fn programs_are_counted() {
        let output =
            "     Running benches/engine.rs (target/debug/deps/engine-1)\n     Running benches/b.rs (x)\n";
        assert_eq!(Tally::of_programs(&finished(true, output)), Tally { passed: 2, failed: 0 });
        assert_eq!(Tally::of_programs(&finished(false, output)), Tally { passed: 1, failed: 1 });
    }
}
