//! Tickets: what a page says to the live stream, where it cannot set a header.

use graflow_model::Timestamp;

use crate::settings::Token;

/// Issues tickets and looks at them. It keeps none: a ticket is when it ends, and a code over that which only who knows the token
/// can make. A new token ends them all.
pub(crate) struct TicketOffice([u8; 32]);

impl TicketOffice {
    /// A ticket is good for so many seconds.
    pub(crate) const SECONDS: u32 = 30;

    pub(crate) fn new(token: &Token) -> Self {
        Self(blake3::derive_key("graflow lineage 2026 live stream ticket", token.as_bytes()))
    }

    /// A ticket that is good from now on, of characters that a subprotocol may have.
    pub(crate) fn issue(&self, now: Timestamp) -> String {
        let end = now.as_micros() + i64::from(Self::SECONDS) * 1_000_000;
        format!("{end}.{}", self.code(end))
    }

    /// Whether this office issued it, and it has not ended.
    pub(crate) fn accepts(&self, ticket: &str, now: Timestamp) -> bool {
        let Some((end, code)) = ticket.split_once('.') else { return false };
        let Ok(end) = end.parse::<i64>() else { return false };
        // The hash compares in a time that does not depend on how much is right.
        let is_ours = blake3::Hash::from_hex(code).is_ok_and(|code| code == self.hash(end));
        is_ours && now.as_micros() <= end
    }

    fn code(&self, end: i64) -> String {
        self.hash(end).to_hex().to_string()
    }

    fn hash(&self, end: i64) -> blake3::Hash {
        blake3::keyed_hash(&self.0, &end.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_for_half_a_minute_and_one_token() {
        let office = TicketOffice::new(&Token::new("0123456789abcdef").unwrap());
        let at = |seconds: i64| Timestamp::from_micros(1_795_435_200_000_000 + seconds * 1_000_000);
        let ticket = office.issue(at(0));
        assert!(ticket.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'), "{ticket}");
        assert!(office.accepts(&ticket, at(0)));
        assert!(office.accepts(&ticket, at(30)));
        assert!(!office.accepts(&ticket, at(31)));
        let other = TicketOffice::new(&Token::new("fedcba9876543210").unwrap());
        assert!(!other.accepts(&ticket, at(0)));
        // Nobody makes it last longer.
        let (end, code) = ticket.split_once('.').unwrap();
        let later = format!("{}.{code}", end.parse::<i64>().unwrap() + 1);
        for wrong in [later.as_str(), "", ".", "x.y", end, &format!("{end}."), &format!("{end}.00")] {
            assert!(!office.accepts(wrong, at(0)), "{wrong}");
        }
    }
}
