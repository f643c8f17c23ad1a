//! The block structure of a pcapng file (draft-ietf-opsawg-pcapng section 3.1).

use super::bytes::Order;
use super::packets::{LONGEST, Lost};
use super::window::Window;
use std::io::Read;
use std::ops::Range;

/// Section Header Block. Its number reads the same in both byte orders.
pub(super) const SECTION: u32 = 0x0a0d_0d0a;
/// Interface Description Block.
pub(super) const INTERFACE: u32 = 1;
/// Packet Block, obsolete.
pub(super) const PACKET: u32 = 2;
/// Simple Packet Block.
pub(super) const SIMPLE_PACKET: u32 = 3;
/// Interface Statistics Block.
pub(super) const STATISTICS: u32 = 5;
/// Enhanced Packet Block.
pub(super) const ENHANCED_PACKET: u32 = 6;
/// Decryption Secrets Block.
pub(super) const SECRETS: u32 = 10;
/// Custom Block, one that may be copied and one that may not.
pub(super) const CUSTOM: [u32; 2] = [0x0bad, 0x4000_0bad];

/// Block types that reading starts again at after damage: those above, name resolution, and systemd's journal.
const KNOWN: [u32; 10] =
    [SECTION, INTERFACE, PACKET, SIMPLE_PACKET, 4, STATISTICS, ENHANCED_PACKET, 9, SECRETS, CUSTOM[0]];

/// The longest block that is believed.
const LONGEST_BLOCK: usize = LONGEST + (64 << 10);
/// The longest block that reading starts again at.
const LONGEST_AFTER_DAMAGE: usize = 1 << 20;
/// Type, length, and the length again.
const FRAME: usize = 12;

/// One block.
pub(super) struct Block {
    pub(super) kind: u32,
    pub(super) order: Order,
    /// Where its body lies in the window.
    pub(super) body: Range<usize>,
    /// Offset of the block in the file.
    pub(super) offset: u64,
}

/// What comes next.
pub(super) enum Found {
    Block(Block),
    Lost(Lost),
    End,
}

/// Walks over the blocks.
pub(super) struct Blocks {
    order: Order,
}

impl Blocks {
    /// At the start of a file. The byte order is told by its first block.
    pub(super) fn new() -> Self {
        Self { order: Order::Little }
    }

    pub(super) fn next<R: Read>(&mut self, window: &mut Window<R>) -> Found {
        let offset = window.offset();
        let head = window.peek(FRAME);
        if head.is_empty() {
            return Found::End;
        }
        if head.len() < FRAME {
            let bytes = window.skip(u64::MAX);
            return lost(offset, bytes, "the file ends within a block");
        }
        let Some((kind, order, length)) = self.head(head).filter(|(_, _, length)| *length <= LONGEST_BLOCK) else {
            return self.resynchronise(window, "a block's length makes no sense");
        };
        let ahead = window.peek(length + FRAME);
        if ahead.len() < length {
            return self.resynchronise(window, "the file ends within a block");
        }
        let repeated = order.u32(ahead, length - 4).is_some_and(|again| padded(again) == Some(length));
        let followed = ahead.get(length..).is_some_and(|next| next.is_empty() || self.begins_known(next));
        if !repeated && !followed {
            return self.resynchronise(window, "a block's two lengths differ");
        }
        self.order = order;
        let start = window.base();
        window.consume(length);
        Found::Block(Block { kind, order, body: start + 8..start + length - 4, offset })
    }

    /// Type, byte order and padded length of the block that `head` begins.
    fn head(&self, head: &[u8]) -> Option<(u32, Order, usize)> {
        let section = Order::Little.u32(head, 0)? == SECTION;
        let order = if section { section_order(head)? } else { self.order };
        let length = padded(order.u32(head, 4)?).filter(|length| *length >= FRAME)?;
        Some((order.u32(head, 0)?, order, length))
    }

    fn begins_known(&self, head: &[u8]) -> bool {
        let known = |(kind, _, length)| KNOWN.contains(&kind) && length <= LONGEST_AFTER_DAMAGE;
        self.head(head).is_some_and(known)
    }

    /// Looks for the next block of a known type whose two lengths agree.
    fn resynchronise<R: Read>(&mut self, window: &mut Window<R>, reason: &str) -> Found {
        let offset = window.offset();
        loop {
            window.consume(1);
            let head = window.peek(FRAME);
            if head.len() < FRAME {
                window.skip(u64::MAX);
                return lost(offset, window.offset() - offset, reason);
            }
            if self.begins_known(head) && self.is_whole(window) {
                return lost(offset, window.offset() - offset, reason);
            }
        }
    }

    fn is_whole<R: Read>(&self, window: &mut Window<R>) -> bool {
        let Some((_, order, length)) = self.head(window.peek(FRAME)) else { return false };
        let block = window.peek(length);
        block.len() == length && order.u32(block, length - 4).is_some_and(|again| padded(again) == Some(length))
    }
}

/// The byte order that a section header's magic number tells (section 4.1).
fn section_order(head: &[u8]) -> Option<Order> {
    match head.get(8..12)? {
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Order::Little),
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Order::Big),
        _ => None,
    }
}

/// Some writers leave the padding out of the length.
fn padded(length: u32) -> Option<usize> {
    Some(length.checked_add(3)? as usize & !3)
}

fn lost(offset: u64, bytes: u64, reason: &str) -> Found {
    Found::Lost(Lost { offset, bytes: Some(bytes), reason: reason.to_owned() })
}
