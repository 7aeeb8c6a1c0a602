//! Borsh arguments, read strictly: what is missing, malformed or left over is an error with Anchor's code.
//!
//! A read that fails gives zero and is remembered; `end` must be asked before anything read is used. That keeps every read one small
//! function for the target, which cannot return a value together with an error.

use crate::error::{Checked, BAD_ARGUMENTS};
use core::slice::from_raw_parts;
use pinocchio::Address;

/// Takes values off the front of an instruction's data.
pub struct Reader<'a> {
    data: &'a [u8],
    has_failed: bool,
}

/// What makes a trade happen at most once, under one grant, in time.
#[derive(Clone, Copy)]
pub struct Guard {
    pub nonce: u64,
    pub bot_epoch: u64,
    pub deadline_slot: u64,
}

impl<'a> Reader<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, has_failed: false }
    }

    pub fn u8(&mut self) -> u8 {
        self.number(1) as u8
    }

    #[inline(never)]
    pub fn bool(&mut self) -> bool {
        match self.data.split_first() {
            Some((byte, rest)) if *byte <= 1 => {
                self.data = rest;
                *byte == 1
            }
            _ => {
                self.has_failed = true;
                false
            }
        }
    }

    pub fn u64(&mut self) -> u64 {
        self.number(8)
    }

    pub fn i64(&mut self) -> i64 {
        self.u64() as i64
    }

    /// Where it stands in the data; zeroes when the data ends before.
    #[inline(never)]
    pub fn address(&mut self) -> &'a Address {
        match self.data.split_first_chunk::<32>() {
            Some((taken, rest)) => {
                self.data = rest;
                as_address(taken)
            }
            None => {
                self.has_failed = true;
                as_address(&[0; 32])
            }
        }
    }

    /// A little-endian number of `size` bytes, at most 8.
    #[inline(never)]
    pub fn number(&mut self, size: usize) -> u64 {
        let Some((taken, rest)) = self.data.split_at_checked(size) else {
            self.has_failed = true;
            return 0;
        };
        self.data = rest;
        match taken.first_chunk() {
            Some(whole) => u64::from_le_bytes(*whole),
            None => taken.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)),
        }
    }

    /// A vector of bytes.
    #[inline(always)]
    pub fn bytes(&mut self) -> &'a [u8] {
        self.items(1)
    }

    #[inline(always)]
    pub fn addresses(&mut self) -> &'a [Address] {
        let bytes = self.items(32);
        // SAFETY: an address is 32 bytes of any content.
        unsafe { from_raw_parts(bytes.as_ptr().cast(), bytes.len() / 32) }
    }

    /// A vector of items of this many bytes.
    #[inline(always)]
    fn items(&mut self, size: usize) -> &'a [u8] {
        let mut taken: &[u8] = &[];
        self.take_items(size, &mut taken);
        taken
    }

    #[inline(never)]
    fn take_items(&mut self, size: usize, to: &mut &'a [u8]) {
        // The count has 32 bits, so the product cannot wrap.
        let length = (self.number(4) as usize).wrapping_mul(size);
        match self.data.split_at_checked(length) {
            Some((taken, rest)) => (*to, self.data) = (taken, rest),
            None => self.has_failed = true,
        }
    }

    pub fn guard(&mut self) -> Guard {
        Guard { nonce: self.u64(), bot_epoch: self.u64(), deadline_slot: self.u64() }
    }

    /// Everything was there, well formed, and nothing follows.
    pub fn end(&self) -> Checked {
        if self.has_failed || !self.data.is_empty() {
            Err(BAD_ARGUMENTS)
        } else {
            Ok(())
        }
    }
}

/// Bytes as the address they are.
#[inline(always)]
pub fn as_address(bytes: &[u8; 32]) -> &Address {
    // SAFETY: an address is 32 bytes of any content.
    unsafe { &*bytes.as_ptr().cast() }
}

/// For instructions that take one amount, written to `to`.
#[inline(never)]
pub fn amount(data: &[u8], to: &mut u64) -> Checked {
    let bytes = data.try_into().map_err(|_| BAD_ARGUMENTS)?;
    *to = u64::from_le_bytes(bytes);
    Ok(())
}

/// For instructions that take none.
pub fn none(data: &[u8]) -> Checked {
    if data.is_empty() {
        Ok(())
    } else {
        Err(BAD_ARGUMENTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_beyond_the_data_are_refused() {
        for data in [&[255, 255, 255, 255][..], &[1, 0, 0, 0], &[255, 255, 255, 7, 1], &[0, 0, 0]] {
            let mut reader = Reader::new(data);
            assert_eq!((reader.bytes(), reader.end()), (&[][..], Err(BAD_ARGUMENTS)));
            let mut reader = Reader::new(data);
            assert_eq!((reader.addresses(), reader.end()), (&[][..], Err(BAD_ARGUMENTS)));
        }
    }

    #[test]
    fn flags_are_zero_or_one() {
        let mut reader = Reader::new(&[2]);
        reader.bool();
        assert_eq!(reader.end(), Err(BAD_ARGUMENTS));
        let mut reader = Reader::new(&[1, 9]);
        assert_eq!((reader.bool(), reader.u8(), reader.end()), (true, 9, Ok(())));
    }

    #[test]
    fn a_failure_is_not_forgotten() {
        let mut reader = Reader::new(&[0; 7]);
        assert_eq!(reader.u64(), 0);
        assert!(reader.bytes().is_empty());
        assert_eq!(reader.end(), Err(BAD_ARGUMENTS));
    }

    #[test]
    fn nothing_may_follow() {
        let mut reader = Reader::new(&[0; 9]);
        reader.u64();
        assert_eq!(reader.end(), Err(BAD_ARGUMENTS));
        assert_eq!(none(&[0]), Err(BAD_ARGUMENTS));
        let mut two = [0u8; 4 + 64];
        two[0] = 2;
        let mut reader = Reader::new(&two);
        assert_eq!((reader.addresses().len(), reader.end()), (2, Ok(())));
    }
}
