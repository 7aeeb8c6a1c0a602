//! The nonce window: 256 bits above a base that only rises. A nonce is used at most once, ever.

use crate::{
    error::{require, Checked, VaultError},
    le::U64,
};

pub const WINDOW: u64 = 256;
pub const REACH: u64 = 512;

const WORDS: usize = 4;

/// Marks `nonce` as used, and raises the base where that is beyond the window; bit i of `bits` stands for base + i.
#[inline(never)]
pub fn mark(base: &mut U64, bits: &mut [U64; WORDS], nonce: u64) -> Checked {
    require(nonce >= base.get(), VaultError::NonceTooOld)?;
    let mut ahead = nonce.wrapping_sub(base.get());
    require(ahead < REACH, VaultError::NonceTooFar)?;
    if ahead >= WINDOW {
        let rise = ahead.wrapping_sub(WINDOW - 1);
        shift(bits, rise);
        // The nonce itself, which is above, fits.
        base.set(base.get().wrapping_add(rise));
        ahead = WINDOW - 1;
    }
    let word = bits.get_mut((ahead / 64) as usize).ok_or(VaultError::NonceTooFar)?;
    let bit = 1u64.wrapping_shl(ahead as u32);
    require(word.get() & bit == 0, VaultError::NonceUsed)?;
    word.set(word.get() | bit);
    Ok(())
}

/// Moves all bits down by `by`, which is 1 to 256; those that fall out are below the new base.
#[inline(never)]
fn shift(bits: &mut [U64; WORDS], by: u64) {
    let (whole, part) = ((by / 64) as usize, by as u32);
    for i in 0..WORDS {
        let word = |i: usize| bits.get(i).map_or(0, U64::get);
        let (low, high) = (word(i.wrapping_add(whole)), word(i.wrapping_add(whole).wrapping_add(1)));
        // Two shifts, because one by 64 is none. Both are by their lowest six bits.
        let moved = low.wrapping_shr(part) | (high << 1).wrapping_shl(!part);
        if let Some(target) = bits.get_mut(i) {
            target.set(moved);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;
    use std::collections::HashSet;

    /// The new base.
    fn marked(base: u64, bits: &mut [U64; WORDS], nonce: u64) -> Result<u64, Fault> {
        let mut stored = U64::default();
        stored.set(base);
        mark(&mut stored, bits, nonce).map(|()| stored.get())
    }

    #[test]
    fn borders_of_the_window() {
        let cases: [(u64, Result<u64, VaultError>); 8] = [
            (99, Err(VaultError::NonceTooOld)),
            (100, Ok(100)),
            (355, Ok(100)),
            (356, Ok(101)),
            (611, Ok(356)),
            (612, Err(VaultError::NonceTooFar)),
            (1 << 63, Err(VaultError::NonceTooFar)),
            (u64::MAX, Err(VaultError::NonceTooFar)),
        ];
        for (nonce, expected) in cases {
            assert_eq!(marked(100, &mut [U64::default(); WORDS], nonce), expected.map_err(Fault::from), "{nonce}");
        }
    }

    #[test]
    fn the_top_of_the_numbers_does_not_wrap() {
        let base = u64::MAX - 3;
        assert_eq!(marked(base, &mut [U64::default(); WORDS], u64::MAX), Ok(base));
    }

    #[test]
    fn agrees_with_a_set_of_used_numbers() {
        let (mut base, mut bits, mut used, mut seed) = (0u64, [U64::default(); WORDS], HashSet::new(), 7u64);
        for _ in 0..200_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let nonce = base.saturating_sub(5) + (seed >> 33) % if seed.is_multiple_of(97) { 540 } else { 280 };
            let expected = if nonce < base {
                Err(VaultError::NonceTooOld.into())
            } else if nonce >= base + REACH {
                Err(VaultError::NonceTooFar.into())
            } else if used.contains(&nonce) {
                Err(VaultError::NonceUsed.into())
            } else {
                Ok(base.max((nonce + 1).saturating_sub(WINDOW)))
            };
            let before = bits;
            let result = marked(base, &mut bits, nonce);
            assert_eq!(result, expected);
            match result {
                Ok(new_base) => {
                    used.insert(nonce);
                    base = new_base;
                }
                Err(_) => assert_eq!(bits, before, "a refusal changes nothing"),
            }
        }
    }
}
