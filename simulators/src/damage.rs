//! Bytes as broken senders make them: cut, doubled, mixed up, with numbers that are none and text that is no text. Same
//! seed, same damage.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What senders write where something else is expected.
const STRANGE: [&[u8]; 22] = [
    b"NaN",
    b"-1",
    b"1e999",
    b"-1e-999",
    b"18446744073709551616",
    b"null",
    b"true",
    b"\"\"",
    b"''",
    b"[]",
    b"{}",
    b"{\"",
    b"\\ud800",
    b"\xff\xfe",
    b"\xe8\xb4",
    b"\0",
    b",,",
    b"<![CDATA[",
    b"<!DOCTYPE x [<!ENTITY a \"&a;&a;\">]>",
    b"&a;",
    "贵A12345".as_bytes(),
    "٣".as_bytes(),
];
/// Depth of brackets and tags that are put in.
const DEPTH: usize = 2_000;

/// The bytes with a few things wrong with them.
pub fn damaged(original: &[u8], seed: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut bytes = original.to_vec();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..=bytes.len());
        let to = rng.random_range(at..=bytes.len().min(at + 40));
        match rng.random_range(0..9) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..to)),
            2 => bytes.insert(at, rng.random()),
            3 => drop(bytes.splice(at..to, STRANGE[rng.random_range(0..STRANGE.len())].iter().copied())),
            4 => bytes.extend_from_within(at..),
            5 => bytes[at..to].reverse(),
            6 => drop(bytes.splice(at..at, deep(&mut rng))),
            7 => bytes[at..to].iter_mut().filter(|b| b.is_ascii_digit()).for_each(|b| *b = b'9'),
            _ => bytes[at..to].iter_mut().for_each(|b| *b ^= 1 << (to % 8)),
        }
    }
    bytes
}

fn deep(rng: &mut ChaCha8Rng) -> Vec<u8> {
    const OPENINGS: [&[u8]; 4] = [b"[", b"{\"a\":", b"<a>", b"("];
    OPENINGS[rng.random_range(0..OPENINGS.len())].repeat(rng.random_range(1..DEPTH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_damage_and_most_are_different() {
        let whole = b"{\"type\":\"passage\",\"speed_kmh\":40}".as_slice();
        let all: std::collections::BTreeSet<Vec<u8>> = (0..100).map(|seed| damaged(whole, seed)).collect();
        assert!(all.len() > 90 && damaged(whole, 7) == damaged(whole, 7));
        assert!((0..100).all(|seed| damaged(b"", seed).len() < 1 << 20));
    }
}
