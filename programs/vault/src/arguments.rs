//! Borsh arguments, read strictly: what is missing, malformed or left over is an error with Anchor's code.
//!
//! A read that fails gives zero and is remembered; `end` must be asked before anything read is used. That keeps every read one small
//! function for the target, which cannot return a value together with an error.

use crate::error::{Checked, BAD_ARGUMENTS};
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

    /// The next bytes, copied to `to`.
    #[inline(never)]
    fn take(&mut self, to: &mut [u8]) {
        match self.data.split_at_checked(to.len()) {
            Some((taken, rest)) => {
                to.copy_from_slice(taken);
                self.data = rest;
            }
            None => self.has_failed = true,
        }
    }

    pub fn u8(&mut self) -> u8 {
        let mut bytes = [0];
        self.take(&mut bytes);
        u8::from_le_bytes(bytes)
    }

    pub fn bool(&mut self) -> bool {
        let byte = self.u8();
        self.has_failed |= byte > 1;
        byte == 1
    }

    pub fn u16(&mut self) -> u16 {
        let mut bytes = [0; 2];
        self.take(&mut bytes);
        u16::from_le_bytes(bytes)
    }

    pub fn u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.take(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    #[inline(never)]
    pub fn u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.take(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    pub fn i64(&mut self) -> i64 {
        self.u64() as i64
    }

    #[inline(never)]
    pub fn address(&mut self) -> Address {
        let mut bytes = [0; 32];
        self.take(&mut bytes);
        Address::new_from_array(bytes)
    }

    #[inline(always)]
    pub fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.bool().then(|| read(self))
    }

    #[inline(always)]
    pub fn bytes(&mut self) -> &'a [u8] {
        let length = self.u32() as usize;
        match self.data.split_at_checked(length) {
            Some((taken, rest)) => {
                self.data = rest;
                taken
            }
            None => {
                self.has_failed = true;
                &[]
            }
        }
    }

    /// The addresses as chunks of 32 bytes.
    #[inline(always)]
    pub fn addresses(&mut self) -> &'a [[u8; 32]] {
        let count = self.u32() as usize;
        let (all, _) = self.data.as_chunks::<32>();
        match (all.split_at_checked(count), self.data.get(count.wrapping_mul(32)..)) {
            (Some((taken, _)), Some(rest)) => {
                self.data = rest;
                taken
            }
            _ => {
                self.has_failed = true;
                &[]
            }
        }
    }

    pub fn guard(&mut self) -> Guard {
        Guard { nonce: self.u64(), bot_epoch: self.u64(), deadline_slot: self.u64() }
    }

    pub fn has_failed(&self) -> bool {
        self.has_failed
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

/// For instructions that take none.
pub fn none(data: &[u8]) -> Checked {
    Reader::new(data).end()
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
        assert_eq!((reader.option(Reader::u8), reader.end()), (Some(9), Ok(())));
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
