//! A tree of SHA-256 digests over the buckets (as RFC 9162, section 2.1, with a power of two of leaves): a bucket and
//! its path give the root that the manifest signs, or they are not from this index.

use sha2::{Digest as _, Sha256};

/// Bytes of a digest.
pub const DIGEST: usize = 32;

/// A SHA-256 digest.
pub type Digest = [u8; DIGEST];

/// The digest of a bucket.
pub fn leaf(bucket: &[u8]) -> Digest {
    Sha256::new_with_prefix([0]).chain_update(bucket).finalize().into()
}

fn node(left: &Digest, right: &Digest) -> Digest {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root that a bucket of this number and this path belongs to.
pub fn root_of(bucket: &[u8], number: u32, path: &[u8]) -> Digest {
    let (siblings, _) = path.as_chunks::<DIGEST>();
    siblings.iter().enumerate().fold(leaf(bucket), |digest, (level, sibling)| {
        let is_right = number.checked_shr(level as u32).unwrap_or(0) & 1 == 1;
        if is_right { node(sibling, &digest) } else { node(&digest, sibling) }
    })
}

/// All digests of a tree.
#[derive(Debug)]
pub struct Tree {
    /// From the leaves up to the root.
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// The tree over a power of two of leaves.
    pub fn new(leaves: Vec<Digest>) -> Self {
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let (pairs, _) = level.as_chunks::<2>();
            let next = pairs.iter().map(|[left, right]| node(left, right)).collect();
            levels.push(next);
        }
        Self { levels }
    }

    /// The digest of everything.
    pub fn root(&self) -> Digest {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or_default()
    }

    /// The siblings from a leaf upwards.
    pub fn path(&self, number: u32) -> Vec<u8> {
        let below = self.levels.split_last().map_or(&[][..], |(_, below)| below);
        let siblings =
            below.iter().enumerate().filter_map(|(level, digests)| digests.get((number as usize >> level) ^ 1));
        siblings.flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bucket_proves_its_place_and_no_other(bits in 0_u32..6, number: u32, other: u32, flip in 0_usize..200) {
            let count = 1 << bits;
            let (number, other) = (number % count, other % count);
            let bucket = |number: u32| number.to_le_bytes();
            let tree = Tree::new((0..count).map(|number| leaf(&bucket(number))).collect());
            let mut path = tree.path(number);
            prop_assert_eq!(path.len(), bits as usize * DIGEST);
            prop_assert_eq!(root_of(&bucket(number), number, &path), tree.root());
            if other != number {
                prop_assert_ne!(root_of(&bucket(other), number, &path), tree.root());
                prop_assert_ne!(root_of(&bucket(number), other, &path), tree.root());
            }
            if let Some(byte) = path.get_mut(flip) {
                *byte ^= 1;
                prop_assert_ne!(root_of(&bucket(number), number, &path), tree.root());
            }
        }
    }
}
