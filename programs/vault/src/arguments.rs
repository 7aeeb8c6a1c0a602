//! Borsh arguments, read strictly: what is missing, malformed or left over is an error with Anchor's code.
//!
//! A read that fails gives zero and is remembered; `end` must be asked before the instruction ends well, where the number of bytes has not
//! been checked before. That keeps every read one small function for the target, which cannot return a value together with an error.

use crate::error::{require, Checked, BAD_ARGUMENTS};
use core::{marker::PhantomData, ptr::NonNull, slice::from_raw_parts};
use pinocchio::Address;

/// In place of a number of bytes: 0 or 1.
pub const FLAG: u8 = 0;

/// Takes values off the front of an instruction's data.
pub struct Reader<'a> {
    at: *const u8,
    left: usize,
    has_failed: bool,
    data: PhantomData<&'a [u8]>,
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
        Self { at: data.as_ptr(), left: data.len(), has_failed: false, data: PhantomData }
    }

    /// Where the next `length` bytes stand, which are taken; none when there are fewer.
    #[inline(never)]
    fn take(&mut self, length: usize) -> Option<NonNull<u8>> {
        self.take_here(length)
    }

    #[inline(always)]
    fn take_here(&mut self, length: usize) -> Option<NonNull<u8>> {
        if length > self.left {
            self.has_failed = true;
            return None;
        }
        let taken = NonNull::new(self.at.cast_mut());
        // SAFETY: there are as many left.
        self.at = unsafe { self.at.add(length) };
        self.left = self.left.wrapping_sub(length);
        taken
    }

    pub fn u8(&mut self) -> u8 {
        self.number(1) as u8
    }

    #[inline(never)]
    pub fn bool(&mut self) -> bool {
        self.bool_here()
    }

    #[inline(always)]
    fn bool_here(&mut self) -> bool {
        // SAFETY: a byte has been taken.
        let byte = self.take_here(1).map_or(0, |taken| unsafe { taken.read() });
        self.has_failed |= byte > 1;
        byte == 1
    }

    #[inline(never)]
    pub fn u64(&mut self) -> u64 {
        self.number(8)
    }

    pub fn i64(&mut self) -> i64 {
        self.u64() as i64
    }

    /// A number of 1, 2, 4 or 8 bytes.
    #[inline(never)]
    pub fn number(&mut self, size: usize) -> u64 {
        // SAFETY: as many bytes have been taken.
        self.take(size).map_or(0, |taken| unsafe { number(taken.as_ptr(), size) })
    }

    /// As many bytes as there is room for; when the data ends before, nothing.
    #[inline(never)]
    pub fn copy(&mut self, to: &mut [u8]) {
        if let Some(taken) = self.take(to.len()) {
            // SAFETY: as many bytes have been taken.
            to.copy_from_slice(unsafe { from_raw_parts(taken.as_ptr(), to.len()) });
        }
    }

    /// A vector of bytes.
    #[inline(always)]
    pub fn bytes(&mut self) -> &'a [u8] {
        self.items()
    }

    #[inline(always)]
    pub fn addresses(&mut self) -> &'a [Address] {
        self.items()
    }

    /// A vector of items that any bytes are.
    #[inline(always)]
    fn items<T>(&mut self) -> &'a [T] {
        let count = self.number(4) as usize;
        // The count has 32 bits, so the product cannot wrap.
        let taken = self.take(count.wrapping_mul(size_of::<T>()));
        // SAFETY: as many bytes have been taken, and an item is bytes of any content.
        taken.map_or(&[], |taken| unsafe { from_raw_parts(taken.as_ptr().cast(), count) })
    }

    #[inline(always)]
    pub fn guard(&mut self) -> Guard {
        Guard { nonce: self.u64(), bot_epoch: self.u64(), deadline_slot: self.u64() }
    }

    /// Optional numbers of so many bytes each: those that are given, and in the bits of the result which they are.
    #[inline(never)]
    pub fn options<const N: usize>(&mut self, sizes: &[u8; N], to: &mut [u64; N]) -> u64 {
        // SAFETY: as many bytes are left.
        let (mut at, end) = (self.at, unsafe { self.at.add(self.left) });
        let (mut given, mut bit) = (0, 1);
        self.has_failed = true;
        for (size, value) in sizes.iter().zip(to) {
            let size = usize::from(*size);
            if at == end {
                return 0;
            }
            // SAFETY: it is not at the end; what is read besides has been seen to stand before it.
            unsafe {
                let flag = at.read();
                at = at.add(1);
                if flag != 0 {
                    if flag > 1 || size > end.offset_from_unsigned(at) {
                        return 0;
                    }
                    *value = number(at, size);
                    at = at.add(size);
                    given |= bit;
                }
            }
            bit <<= 1;
        }
        self.has_failed = false;
        self.at = at;
        // SAFETY: both are of the same data.
        self.left = unsafe { end.offset_from_unsigned(at) };
        given
    }

    /// The same arguments once more, after options of so many bytes each; none stands for one that is a flag.
    #[inline(always)]
    pub fn after_options(&self, sizes: &[u8]) -> Self {
        let mut ahead = Self { ..*self };
        ahead.skip_options(sizes);
        ahead
    }

    #[inline(never)]
    fn skip_options(&mut self, sizes: &[u8]) {
        for size in sizes {
            if self.bool() {
                match *size {
                    FLAG => self.has_failed |= self.number(1) > 1,
                    size => self.has_failed |= self.take(usize::from(size)).is_none(),
                }
            }
        }
    }

    /// Everything was there, well formed, and nothing follows.
    #[inline(never)]
    pub fn end(&self) -> Checked {
        require(!self.has_failed && self.left == 0, BAD_ARGUMENTS)
    }
}

/// A number of 1, 2, 4 or 8 bytes.
///
/// # Safety
/// As many can be read.
#[inline(always)]
unsafe fn number(at: *const u8, size: usize) -> u64 {
    match size {
        8 => u64::from_le_bytes(at.cast::<[u8; 8]>().read()),
        4 => u32::from_le_bytes(at.cast::<[u8; 4]>().read()).into(),
        2 => u16::from_le_bytes(at.cast::<[u8; 2]>().read()).into(),
        _ => at.read().into(),
    }
}

/// Bytes as the address they are.
#[inline(always)]
pub fn as_address(bytes: &[u8; 32]) -> &Address {
    // SAFETY: an address is 32 bytes of any content.
    unsafe { &*bytes.as_ptr().cast() }
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
        let mut two = [0u8; 4 + 64];
        two[0] = 2;
        let mut reader = Reader::new(&two);
        assert_eq!((reader.addresses().len(), reader.end()), (2, Ok(())));
    }
}
