//! GHASH (NIST SP 800-38D §6.4) in lanes. Each step of it waits for the one before; four chains that wait for nothing but themselves
//! keep the processor busy, and are added up at the end, since all of it is linear.

use polyval::Polyval;
use polyval::universal_hash::{KeyInit, UniversalHash};
use zeroize::Zeroizing;

const LANES: usize = 4;
const GROUP: usize = 16 * LANES;
/// Groups that are turned at a time.
const PORTION: usize = 16;

/// GHASH as POLYVAL of the octets the other way round (RFC 8452 appendix A). The crate ghash does the same, but turns each octet apart.
#[derive(Clone)]
struct Hash(Polyval);

impl Hash {
    fn new(key: &[u8; 16]) -> Hash {
        Hash(Polyval::new(&polyval::mulx(&turned(key).into())))
    }

    fn update(&mut self, block: &[u8; 16]) {
        self.add(&turned(block));
    }

    fn add(&mut self, turned: &[u8; 16]) {
        self.0.update(std::slice::from_ref(turned.into()));
    }

    fn finalize(self) -> [u8; 16] {
        turned(&self.0.finalize().into())
    }
}

fn turned(block: &[u8; 16]) -> [u8; 16] {
    u128::from_be_bytes(*block).to_le_bytes()
}

/// A GHASH in the making.
pub struct Lanes {
    /// The key to the powers 1 to 4.
    powers: Zeroizing<[[u8; 16]; LANES]>,
    /// Block `n` goes to lane `n % 4`, whose key is the highest power.
    lanes: [Hash; LANES],
    /// The last whole group and what is no group yet: the last block of each lane takes another power.
    held: Vec<u8>,
}

impl Lanes {
    pub fn new(key: &[u8; 16]) -> Lanes {
        let mut powers = Zeroizing::new([*key; LANES]);
        for n in 1..LANES {
            powers[n] = times(key, &powers[n - 1]);
        }
        let lane = Hash::new(&powers[LANES - 1]);
        Lanes { powers, lanes: std::array::from_fn(|_| lane.clone()), held: Vec::with_capacity(2 * GROUP) }
    }

    pub fn update(&mut self, mut data: &[u8]) {
        while !self.held.is_empty() && self.held.len() + data.len() >= 2 * GROUP {
            if self.held.len() >= GROUP {
                let mut group = [0; GROUP];
                group.copy_from_slice(&self.held[..GROUP]);
                self.held.drain(..GROUP);
                self.groups(&group);
            } else {
                let (now, later) = data.split_at(GROUP - self.held.len());
                self.held.extend_from_slice(now);
                data = later;
            }
        }
        if data.len() >= 2 * GROUP {
            let (now, later) = data.split_at(data.len() / GROUP * GROUP - GROUP);
            self.groups(now);
            data = later;
        }
        self.held.extend_from_slice(data);
    }

    fn groups(&mut self, data: &[u8]) {
        for portion in data.as_chunks::<16>().0.as_chunks::<LANES>().0.chunks(PORTION) {
            // All of them first: what was stored as two words is read as one only when it has left the processor's buffer of stores.
            let mut groups = [[[0; 16]; LANES]; PORTION];
            for (to, from) in groups.iter_mut().flatten().zip(portion.iter().flatten()) {
                *to = turned(from);
            }
            for group in &groups[..portion.len()] {
                self.lanes.iter_mut().zip(group).for_each(|(lane, block)| lane.add(block));
            }
        }
    }

    /// Fills up the last block, and adds `last`, the lengths.
    pub fn finish(mut self, last: &[u8; 16]) -> [u8; 16] {
        self.held.resize(self.held.len().next_multiple_of(16), 0);
        self.held.extend_from_slice(last);
        let mut sum = [0; 16];
        let mut rest = &self.held[..];
        // Lanes have run only where a whole group was held back, and `last` always follows it.
        if rest.len() > GROUP {
            let (group, later) = rest.split_at(GROUP);
            for (n, (lane, block)) in self.lanes.into_iter().zip(group.chunks_exact(16)).enumerate() {
                let mut value = lane.finalize();
                add(&mut value, block);
                add(&mut sum, &times(&self.powers[LANES - 1 - n], &value));
            }
            rest = later;
        }
        for block in rest.chunks_exact(16) {
            add(&mut sum, block);
            sum = times(&self.powers[0], &sum);
        }
        sum
    }
}

fn add(sum: &mut [u8; 16], block: &[u8]) {
    sum.iter_mut().zip(block).for_each(|(a, b)| *a ^= b);
}

/// The product in the field: what GHASH makes of one block.
fn times(key: &[u8; 16], value: &[u8; 16]) -> [u8; 16] {
    let mut product = Hash::new(key);
    product.update(value);
    product.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ghash::GHash;

    #[test]
    fn lanes_give_what_one_chain_gives() {
        let key: [u8; 16] = std::array::from_fn(|i| 0x5a ^ i as u8);
        for length in (0..700).chain([1023, 1024, 1088, 2500]) {
            let data: Vec<u8> = (0..length).map(|i| (i * 7 + length) as u8).collect();
            let mut one = GHash::new(&key.into());
            one.update_padded(&data);
            one.update_padded(&[9; 16]);
            let expected: [u8; 16] = one.finalize().into();
            for piece in [1, 16, 61, 128, 200, 1000] {
                let mut lanes = Lanes::new(&key);
                data.chunks(piece).for_each(|piece| lanes.update(piece));
                assert_eq!(lanes.finish(&[9; 16]), expected, "{length} octets in pieces of {piece}");
            }
        }
    }
}
