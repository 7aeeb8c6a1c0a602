//! The nonce window: 256 bits above a base that only rises. A nonce is used at most once, ever.

use crate::error::VaultError;

pub const WINDOW: u64 = 256;
pub const REACH: u64 = 512;

/// Marks `nonce` as used. Returns the new base; `bits` is shifted with it, bit i stands for base + i.
pub fn mark(base: u64, bits: &mut [u8; 32], nonce: u64) -> Result<u64, VaultError> {
    let ahead = nonce.checked_sub(base).ok_or(VaultError::NonceTooOld)?;
    if ahead >= REACH {
        return Err(VaultError::NonceTooFar);
    }
    let rise = (ahead + 1).saturating_sub(WINDOW);
    let mut words = words_of(bits);
    if rise > 0 {
        words = shifted(words, rise);
    }
    let at = ahead - rise;
    let (word, bit) = ((at / 64) as usize, 1u64 << (at % 64));
    let word = words.get_mut(word).ok_or(VaultError::NonceTooFar)?;
    if *word & bit != 0 {
        return Err(VaultError::NonceUsed);
    }
    *word |= bit;
    for (chunk, word) in bits.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    Ok(base + rise)
}

fn words_of(bits: &[u8; 32]) -> [u64; 4] {
    let mut words = [0u64; 4];
    for (word, chunk) in words.iter_mut().zip(bits.chunks_exact(8)) {
        let mut bytes = [0u8; 8];
        bytes.copy_from_slice(chunk);
        *word = u64::from_le_bytes(bytes);
    }
    words
}

/// All bits moved down by `by`, which is 1 to 256; those that fall out are below the new base.
fn shifted(words: [u64; 4], by: u64) -> [u64; 4] {
    let (whole, part) = ((by / 64) as usize, (by % 64) as u32);
    let word = |i: usize| words.get(i).copied().unwrap_or(0);
    let mut moved = [0u64; 4];
    for (i, target) in moved.iter_mut().enumerate() {
        let low = word(i + whole) >> part;
        let high = if part == 0 { 0 } else { word(i + whole + 1) << (64 - part) };
        *target = low | high;
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

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
            assert_eq!(mark(100, &mut [0; 32], nonce), expected, "{nonce}");
        }
    }

    #[test]
    fn the_top_of_the_numbers_does_not_wrap() {
        let base = u64::MAX - 3;
        assert_eq!(mark(base, &mut [0; 32], u64::MAX), Ok(base));
    }

    #[test]
    fn agrees_with_a_set_of_used_numbers() {
        let (mut base, mut bits, mut used, mut seed) = (0u64, [0u8; 32], HashSet::new(), 7u64);
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
            let result = mark(base, &mut bits, nonce);
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
