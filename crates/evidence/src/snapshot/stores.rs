//! Stores that were read before: most are the same in the next snapshot.

use dyetrace_case::StoreId;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::HashMap;

/// Stores that are remembered.
const MOST: usize = 1 << 16;

/// Asked of a store and of how many records it has: whether nobody wants to know more of any of them.
pub type IsKnown<'k> = dyn Fn(StoreId, u32) -> bool + 'k;

/// What was read of stores, over all exhibits.
pub struct Stores<'k> {
    is_known: &'k IsKnown<'k>,
    /// Bytes of the values in each record of a store without damage.
    read: RefCell<HashMap<StoreId, Vec<usize>>>,
}

impl<'k> Stores<'k> {
    /// None was read yet. `is_known` says which need not be read again.
    pub fn new(is_known: &'k IsKnown<'k>) -> Self {
        Self { is_known, read: RefCell::default() }
    }

    /// Bytes of the values in each record of the store, where they need not be read again.
    pub(super) fn known(&self, store: StoreId) -> Option<Vec<usize>> {
        let sizes = self.read.borrow().get(&store)?.clone();
        (self.is_known)(store, u32::try_from(sizes.len()).ok()?).then_some(sizes)
    }

    /// The store was read to its end, without damage.
    pub(super) fn remember(&self, store: StoreId, sizes: Vec<usize>) {
        let mut read = self.read.borrow_mut();
        if read.len() < MOST {
            read.insert(store, sizes);
        }
    }
}

/// A store by its path, the digest of its content, and that of the log or journal that is read with it.
pub(super) fn store_id(path: &[u8], content: &[u8; 32], beside: Option<&[u8; 32]>) -> StoreId {
    let mut hash = Sha256::new();
    hash.update(content);
    hash.update([u8::from(beside.is_some())]);
    hash.update(beside.unwrap_or(&[0; 32]));
    hash.update(path);
    StoreId(hash.finalize().into())
}
