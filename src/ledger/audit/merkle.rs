//! The root of a tree of hashes, as RFC 9162 (2.1.1) builds it: leaves and nodes are hashed apart, and of leaves that are no
//! power of two the left part is the largest that is.

use super::Digest;

/// The root over leaves; zeros where there is none.
pub(super) fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::default(),
        [one] => tagged(0, &[one]),
        more => {
            let (left, right) = more.split_at(more.len().next_power_of_two() / 2);
            tagged(1, &[&root(left), &root(right)])
        }
    }
}

fn tagged(tag: u8, parts: &[&Digest]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[tag]);
    parts.iter().for_each(|part| {
        hasher.update(*part);
    });
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_of_every_shape_have_roots_of_their_own() {
        let leaves: Vec<Digest> = (0..9).map(|n| [n; 32]).collect();
        let mut roots: Vec<Digest> = (0..=9).map(|n| root(&leaves[..n])).collect();
        let three = tagged(
            1,
            &[&tagged(1, &[&tagged(0, &[&leaves[0]]), &tagged(0, &[&leaves[1]])]), &tagged(0, &[&leaves[2]])],
        );
        assert_eq!(roots[3], three);
        roots.sort_unstable();
        roots.dedup();
        assert_eq!(roots.len(), 10);
        let swapped = [leaves[1], leaves[0]];
        assert_ne!(root(&swapped), root(&leaves[..2]));
    }
}
