//! The little arithmetic on large numbers that completing an RSA key takes: unsigned, big-endian octets. Not for signing: that is the
//! work of a library that guards its timing.

use super::der::trim;
use zeroize::Zeroizing;

/// One times the other.
pub fn product(one: &[u8], other: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(vec![0u8; one.len() + other.len()]);
    for (i, a) in one.iter().rev().enumerate() {
        let mut carry = 0u32;
        for (j, b) in other.iter().rev().enumerate() {
            let at = out.len() - 1 - i - j;
            let sum = u32::from(*a) * u32::from(*b) + u32::from(out[at]) + carry;
            out[at] = sum as u8;
            carry = sum >> 8;
        }
        let at = out.len() - 1 - i - other.len();
        out[at] = carry as u8;
    }
    let start = out.len() - trim(&out).len();
    out.drain(..start);
    out
}

/// What remains of a division; `None` for a division by zero.
pub fn remainder(number: &[u8], by: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let by = trim(by);
    if by.is_empty() {
        return None;
    }
    // One octet more than the divisor, so that doubling fits.
    let mut rest = Zeroizing::new(vec![0u8; by.len() + 1]);
    let mut divisor = Zeroizing::new(vec![0u8]);
    divisor.extend_from_slice(by);
    for bit in number.iter().flat_map(|b| (0..8).rev().map(move |i| b >> i & 1)) {
        let mut carry = bit;
        for octet in rest.iter_mut().rev() {
            let next = *octet >> 7;
            *octet = *octet << 1 | carry;
            carry = next;
        }
        if *rest >= *divisor {
            let mut borrow = 0i16;
            for (octet, d) in rest.iter_mut().zip(divisor.iter()).rev() {
                let difference = i16::from(*octet) - i16::from(*d) - borrow;
                borrow = i16::from(difference < 0);
                *octet = difference as u8;
            }
        }
    }
    let start = rest.len() - trim(&rest).len();
    rest.drain(..start);
    Some(rest)
}

/// One less than an odd number.
pub fn less_one(odd: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(odd.to_vec());
    if let Some(last) = out.last_mut() {
        *last &= 0xfe;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(bytes: &[u8]) -> u128 {
        bytes.iter().fold(0, |n, b| n << 8 | u128::from(*b))
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_processor(a in any::<u64>(), b in any::<u64>(), c in 1..u64::MAX) {
            prop_assert_eq!(number(&product(&a.to_be_bytes(), &b.to_be_bytes())), u128::from(a) * u128::from(b));
            let wide = u128::from(a) << 64 | u128::from(b);
            prop_assert_eq!(number(&remainder(&wide.to_be_bytes(), &c.to_be_bytes()).unwrap()), wide % u128::from(c));
        }
    }
}
