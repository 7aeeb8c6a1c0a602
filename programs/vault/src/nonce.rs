//! The nonce window: 256 bits above a base that only rises. A nonce is used at most once, ever.

use crate::{error::VaultError, le::U64};

pub const WINDOW: u64 = 256;
pub const REACH: u64 = 512;

const WORDS: usize = 4;

/// Marks `nonce` as used, and raises the base where that is beyond the window; bit i of `bits` stands for base + i.
#[inline(never)]
pub fn mark(base: &mut U64, bits: &mut [U64; WORDS], nonce: u64) -> Result<(), VaultError> {
    let ahead = nonce.checked_sub(base.get()).ok_or(VaultError::NonceTooOld)?;
    if ahead >= REACH {
        return Err(VaultError::NonceTooFar);
    }
    let mut at = ahead;
    if ahead >= WINDOW {
        let rise = ahead - (WINDOW - 1);
        shift(bits, rise);
        // The nonce itself, which is above, fits.
        base.set(base.get().wrapping_add(rise));
        at = WINDOW - 1;
    }
    let word = bits.get_mut((at / 64) as usize).ok_or(VaultError::NonceTooFar)?;
    let bit = 1u64 << (at % 64);
    if word.get() & bit != 0 {
        return Err(VaultError::NonceUsed);
    }
    word.set(word.get() | bit);
    Ok(())
}

/// Moves all bits down by `by`, which is 1 to 256; those that fall out are below the new base.
fn shift(bits: &mut [U64; WORDS], by: u64) {
    let (whole, part) = ((by / 64) as usize, (by % 64) as u32);
    for i in 0..WORDS {
        let word = |i: usize| bits.get(i).map_or(0, U64::get);
        let (low, high) = (word(i.wrapping_add(whole)), word(i.wrapping_add(whole + 1)));
        // Two shifts, because one by 64 is none.
        let moved = low.wrapping_shr(part) | (high << 1).wrapping_shl(63 - part);
        if let Some(target) = bits.get_mut(i) {
            target.set(moved);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// The new base.
    fn marked(base: u64, bits: &mut [U64; WORDS], nonce: u64) -> Result<u64, VaultError> {
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
            assert_eq!(marked(100, &mut [U64::default(); WORDS], nonce), expected, "{nonce}");
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
                Err(VaultError::NonceTooOld)
            } else if nonce >= base + REACH {
                Err(VaultError::NonceTooFar)
            } else if used.contains(&nonce) {
                Err(VaultError::NonceUsed)
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
