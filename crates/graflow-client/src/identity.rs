//! Who a producer is.

use std::fmt::Write;

use graflow_model::ProducerId;

/// Random bits from the operating system. A generator that lives in the process goes on alike on both sides of a fork, so
/// that two children would give out the same names.
pub fn random_u64() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        // Without a source of the system's, what tells processes apart has to do.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let seed = now.as_secs() ^ u64::from(now.subsec_nanos()) << 34 ^ u64::from(std::process::id()) << 16;
        fastrand::Rng::with_seed(seed).u64(..)
    })
}

/// Names one emitting process: machine, boot, process and a random nonce.
///
/// A process that was forked is another producer, since its numbering goes its own way: take a new identity there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    producer: ProducerId,
    pid: u32,
}

impl Identity {
    /// This process, with a fresh nonce.
    pub fn of_this_process() -> Self {
        let pid = std::process::id();
        let nonce = random_u64();
        let boot = boot_id().unwrap_or_else(|| {
            // Nothing names this boot, so nothing may be compared with another process' monotonic clock.
            format!("{pid:x}-{nonce:016x}")
        });
        Self::new(&host_name(), &boot, pid, nonce)
    }

    /// An identity from its parts. `/` parts them, so inside of a part it becomes `_`.
    ///
    /// ```
    /// let identity = graflow_client::Identity::new("web-1", "6f2a", 4711, 0x99);
    /// assert_eq!(identity.producer().as_str(), "web-1/6f2a/4711/0000000000000099");
    /// ```
    pub fn new(host: &str, boot: &str, pid: u32, nonce: u64) -> Self {
        let mut text = String::new();
        let (host, boot) = (part(host, 48), part(boot, 32));
        // Writing to a string cannot fail.
        let _ = write!(text, "{host}/{boot}/{pid}/{nonce:016x}");
        Self { producer: text.into(), pid }
    }

    /// As it stands in events.
    pub fn producer(&self) -> &ProducerId {
        &self.producer
    }

    /// The process it was made in.
    pub fn pid(&self) -> u32 {
        self.pid
    }
}

/// A part of the name: no separators, no control characters, never empty, and short enough for all to fit.
fn part(text: &str, longest: usize) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') { c } else { '_' })
        .take(longest)
        .collect();
    if clean.is_empty() { "unknown".into() } else { clean }
}

/// The name of this machine, as the operating system knows it.
#[cfg(unix)]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The name of this machine, as the operating system knows it.
#[cfg(not(unix))]
pub fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// Half of the boot id: 64 bits are enough to tell one machine's boots apart.
fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let hex: String = text.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    (hex.len() == 16).then_some(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_break_the_name() {
        let identity = Identity::new("a/b\n", "", 1, 2);
        assert_eq!(identity.producer().as_str(), "a_b_/unknown/1/0000000000000002");
        let long = Identity::new(&"h".repeat(500), &"b".repeat(500), u32::MAX, u64::MAX);
        assert!(long.producer().as_str().len() <= graflow_model::limits::ID_BYTES);
    }

    #[test]
    fn two_identities_of_one_process_differ_and_share_the_clock() {
        let (one, two) = (Identity::of_this_process(), Identity::of_this_process());
        assert_ne!(one, two);
        assert_eq!(one.pid(), std::process::id());
        #[cfg(target_os = "linux")]
        assert_eq!(one.producer().clock_domain(), two.producer().clock_domain());
    }
}
