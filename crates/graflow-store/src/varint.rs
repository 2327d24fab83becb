//! Numbers in as few bytes as they need: seven bits a byte, lowest first.

/// Appends a number.
pub(crate) fn write(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Takes a number off the front; `None` if there is none that fits 64 bits.
pub(crate) fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return None;
        }
        number |= bits << shift;
        *bytes = rest;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(numbers in prop::collection::vec(any::<u64>().prop_flat_map(|n| (0..64_u32).prop_map(move |s| n >> s)), 0..20)) {
            let mut bytes = Vec::new();
            for number in &numbers {
                super::write(&mut bytes, *number);
            }
            let mut rest = &bytes[..];
            for number in &numbers {
                prop_assert_eq!(super::read(&mut rest), Some(*number));
            }
            prop_assert_eq!(super::read(&mut rest), None);
        }
    }
}
