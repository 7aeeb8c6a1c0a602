//! Borsh arguments, read strictly: what is missing, malformed or left over is an error with Anchor's code.

use crate::error::BAD_ARGUMENTS;
use pinocchio::{error::ProgramError, Address};

type Read<T> = Result<T, ProgramError>;

/// Takes values off the front of an instruction's data.
pub struct Reader<'a>(pub &'a [u8]);

/// What makes a trade happen at most once, under one grant, in time.
#[derive(Clone, Copy)]
pub struct Guard {
    pub nonce: u64,
    pub bot_epoch: u64,
    pub deadline_slot: u64,
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Read<&'a [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(BAD_ARGUMENTS)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn u8(&mut self) -> Read<u8> {
        self.take::<1>().map(|&[byte]| byte)
    }

    pub fn bool(&mut self) -> Read<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(BAD_ARGUMENTS),
        }
    }

    pub fn u16(&mut self) -> Read<u16> {
        self.take().map(|bytes| u16::from_le_bytes(*bytes))
    }

    pub fn u64(&mut self) -> Read<u64> {
        self.take().map(|bytes| u64::from_le_bytes(*bytes))
    }

    pub fn i64(&mut self) -> Read<i64> {
        self.take().map(|bytes| i64::from_le_bytes(*bytes))
    }

    pub fn address(&mut self) -> Read<Address> {
        self.take().map(|bytes| Address::new_from_array(*bytes))
    }

    pub fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        if self.bool()? {
            read(self).map(Some)
        } else {
            Ok(None)
        }
    }

    fn length(&mut self) -> Read<usize> {
        self.take().map(|bytes| u32::from_le_bytes(*bytes) as usize)
    }

    pub fn bytes(&mut self) -> Read<&'a [u8]> {
        let length = self.length()?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(BAD_ARGUMENTS)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The addresses as chunks of 32 bytes.
    pub fn addresses(&mut self) -> Read<&'a [[u8; 32]]> {
        let count = self.length()?;
        let (all, _) = self.0.as_chunks::<32>();
        let (taken, _) = all.split_at_checked(count).ok_or(BAD_ARGUMENTS)?;
        // As many bytes as were just taken, so it cannot fail.
        self.0 = self.0.get(count << 5..).ok_or(BAD_ARGUMENTS)?;
        Ok(taken)
    }

    pub fn guard(&mut self) -> Read<Guard> {
        Ok(Guard { nonce: self.u64()?, bot_epoch: self.u64()?, deadline_slot: self.u64()? })
    }

    pub fn end(self) -> Read<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(BAD_ARGUMENTS)
        }
    }
}

/// The one u64 of deposit and withdraw.
pub fn amount(data: &[u8]) -> Read<u64> {
    let mut reader = Reader(data);
    let amount = reader.u64()?;
    reader.end()?;
    Ok(amount)
}

/// For instructions that take none.
pub fn none(data: &[u8]) -> Read<()> {
    Reader(data).end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_beyond_the_data_are_refused() {
        for data in [&[255, 255, 255, 255][..], &[1, 0, 0, 0], &[255, 255, 255, 7, 1]] {
            assert_eq!(Reader(data).bytes().err(), Some(BAD_ARGUMENTS));
            assert_eq!(Reader(data).addresses().err(), Some(BAD_ARGUMENTS));
        }
    }

    #[test]
    fn flags_are_zero_or_one() {
        assert_eq!(Reader(&[2]).bool().err(), Some(BAD_ARGUMENTS));
        assert_eq!(Reader(&[2, 0]).option(Reader::u8).err(), Some(BAD_ARGUMENTS));
        assert_eq!(Reader(&[1, 9]).option(Reader::u8), Ok(Some(9)));
    }

    #[test]
    fn nothing_may_follow() {
        assert_eq!(amount(&[0; 9]).err(), Some(BAD_ARGUMENTS));
        assert_eq!(amount(&[0; 7]).err(), Some(BAD_ARGUMENTS));
        assert_eq!(none(&[0]).err(), Some(BAD_ARGUMENTS));
        let mut two = [0u8; 4 + 64];
        two[0] = 2;
        let mut reader = Reader(&two);
        assert_eq!(reader.addresses().map(<[_]>::len), Ok(2));
        assert_eq!(reader.end(), Ok(()));
    }
}
