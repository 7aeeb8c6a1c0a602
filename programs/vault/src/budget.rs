//! Sums that bound what a bot can cost: shares, pro-rata cost, and a rolling day of 25 hourly buckets. Every rounding is against the bot.

use crate::{
    constants::BPS_PER_ONE,
    error::{require, Checked, VaultError},
    le::U64,
};
use core::num::NonZeroU64;

pub const BUCKETS: usize = 25;
pub const BUCKET_SECONDS: u64 = 3_600;

/// The smaller of an absolute cap and a share of `basis`, at most all of it, the share rounded down.
#[inline(never)]
pub fn cap(absolute: u64, share_bps: u16, basis: u64) -> u64 {
    // floor(basis * share / 10,000), taken apart so that no product leaves 64 bits.
    let share = u64::from(share_bps);
    let whole = (basis / BPS_PER_ONE).wrapping_mul(share);
    absolute.min(whole.wrapping_add((basis % BPS_PER_ONE).wrapping_mul(share) / BPS_PER_ONE))
}

/// The whole hour of a block time; times before 1970 count as its first hour.
pub fn hour_of(unix_seconds: i64) -> u64 {
    unix_seconds.max(0) as u64 / BUCKET_SECONDS
}

/// Moves both windows on to `hour`, clearing the buckets that begin anew. A clock that went backwards moves nothing.
#[inline(never)]
pub fn advance(newest: u64, hour: u64, spend: &mut [U64; BUCKETS], loss: &mut [U64; BUCKETS]) -> u64 {
    if hour <= newest {
        return newest;
    }
    let steps = hour.wrapping_sub(newest).min(BUCKETS as u64);
    for step in 0..steps {
        let index = bucket(hour.wrapping_sub(step));
        if let (Some(spend), Some(loss)) = (spend.get_mut(index), loss.get_mut(index)) {
            spend.set(0);
            loss.set(0);
        }
    }
    hour
}

/// Adds `amount` to the bucket of `newest`, unless the window's sum would exceed `cap`.
#[inline(never)]
pub fn charge(buckets: &mut [U64; BUCKETS], newest: u64, amount: u64, cap: u64, refusal: VaultError) -> Checked {
    let mut sum = amount;
    for bucket in buckets.iter() {
        sum = sum.checked_add(bucket.get()).ok_or(VaultError::MathOverflow)?;
    }
    require(sum <= cap, refusal)?;
    let bucket = buckets.get_mut(bucket(newest)).ok_or(VaultError::MathOverflow)?;
    // The sum above, which did not overflow, includes this one.
    bucket.set(bucket.get().wrapping_add(amount));
    Ok(())
}

fn bucket(hour: u64) -> usize {
    (hour % BUCKETS as u64) as usize
}

const LOW: u64 = 0xffff_ffff;

/// cost * units / held. Requires units <= held, so that the result is at most `cost`.
///
/// The target has no 128-bit arithmetic: the product is made of 32-bit limbs, and what leaves 64 bits is divided bit by bit.
#[inline(never)]
pub fn part(cost: u64, units: u64, held: NonZeroU64, round_up: bool) -> u64 {
    let (a1, a0, b1, b0) = (cost >> 32, cost & LOW, units >> 32, units & LOW);
    // Each product of two 32-bit numbers, and each sum below, fits 64 bits.
    let (lowest, middle) = (a0.wrapping_mul(b0), a1.wrapping_mul(b0));
    let middle = middle.wrapping_add(lowest >> 32);
    let (carry, middle) = (middle >> 32, (middle & LOW).wrapping_add(a0.wrapping_mul(b1)));
    let mut rest = a1.wrapping_mul(b1).wrapping_add(carry).wrapping_add(middle >> 32);
    let mut low = (middle << 32) | (lowest & LOW);
    if rest == 0 {
        (low, rest) = (low / held, low % held);
    } else {
        // Schoolbook division: the rest is always below `held`; bits of the quotient come in where those of the product leave.
        for _ in 0..64 {
            let leaves = rest >> 63;
            rest = rest << 1 | low >> 63;
            low <<= 1;
            if leaves != 0 || rest >= held.get() {
                rest = rest.wrapping_sub(held.get());
                low |= 1;
            }
        }
    }
    low.wrapping_add(u64::from(round_up && rest != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: [u64; 12] = [0, 1, 2, 9_999, 10_000, LOW - 1, LOW, LOW + 1, 1_000_000_000, (1 << 63) - 1, u64::MAX - 1, u64::MAX];

    fn check(cost: u64, units: u64, held: u64) {
        let part = |round_up| part(cost, units, NonZeroU64::new(held).unwrap(), round_up);
        let (wide, held_wide) = (u128::from(cost) * u128::from(units), u128::from(held));
        assert_eq!(u128::from(part(false)), wide / held_wide, "{cost} * {units} / {held}");
        assert_eq!(u128::from(part(true)), wide.div_ceil(held_wide), "{cost} * {units} / {held} up");
    }

    #[test]
    fn agrees_with_128_bits_at_the_edges() {
        for cost in EDGES {
            for units in EDGES {
                for held in EDGES.into_iter().filter(|held| *held >= units.max(1)) {
                    check(cost, units, held);
                }
            }
        }
    }

    #[test]
    fn agrees_with_128_bits_anywhere() {
        let mut next = numbers();
        for _ in 0..300_000 {
            let (cost, units, held) = (next(), next(), next());
            check(cost, units.min(held), units.max(held).max(1));
        }
    }

    #[test]
    fn a_share_is_what_128_bits_say() {
        let mut next = numbers();
        for _ in 0..300_000 {
            let (basis, share_bps) = (next(), (next() % 10_001) as u16);
            let wide = u128::from(basis) * u128::from(share_bps) / 10_000;
            assert_eq!(u128::from(cap(u64::MAX, share_bps, basis)), wide, "{share_bps} of {basis}");
        }
    }

    fn numbers() -> impl FnMut() -> u64 {
        let mut seed = 1u64;
        move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed >> (seed % 60)
        }
    }

    #[test]
    fn a_share_never_rounds_up() {
        assert_eq!(cap(1_000, 3_333, 100), 33);
        assert_eq!(cap(10, 10_000, 100), 10);
        assert_eq!(cap(u64::MAX, 10_000, u64::MAX), u64::MAX);
        assert_eq!(cap(1_000, 0, 100), 0);
    }

    fn buckets(values: &[(usize, u64)]) -> [U64; BUCKETS] {
        let mut all = [U64::default(); BUCKETS];
        for (index, value) in values {
            all[*index].set(*value);
        }
        all
    }

    #[test]
    fn an_hour_that_begins_anew_forgets_the_one_25_hours_ago() {
        let (mut spend, mut loss) = (buckets(&[(0, 7), (1, 8), (24, 9)]), buckets(&[(1, 5)]));
        assert_eq!(advance(24, 26, &mut spend, &mut loss), 26);
        assert_eq!(spend, buckets(&[(24, 9)]));
        assert_eq!(loss, buckets(&[]));
    }

    #[test]
    fn a_long_silence_forgets_everything_and_a_clock_running_back_nothing() {
        let full: Vec<(usize, u64)> = (0..BUCKETS).map(|i| (i, 1)).collect();
        let (mut spend, mut loss) = (buckets(&full), buckets(&full));
        assert_eq!(advance(1_000, 999, &mut spend, &mut loss), 1_000);
        assert_eq!(spend, buckets(&full));
        assert_eq!(advance(1_000, u64::MAX, &mut spend, &mut loss), u64::MAX);
        assert_eq!(spend, buckets(&[]));
    }

    #[test]
    fn a_charge_over_the_cap_is_refused_and_not_counted() {
        let mut spend = buckets(&[(3, 40), (4, 50)]);
        assert_eq!(charge(&mut spend, 4, 11, 100, VaultError::SpendLimitExceeded), Err(VaultError::SpendLimitExceeded.into()));
        assert_eq!(spend, buckets(&[(3, 40), (4, 50)]));
        assert_eq!(charge(&mut spend, 4, 10, 100, VaultError::SpendLimitExceeded), Ok(()));
        assert_eq!(spend, buckets(&[(3, 40), (4, 60)]));
        assert_eq!(charge(&mut spend, 4, u64::MAX, u64::MAX, VaultError::SpendLimitExceeded), Err(VaultError::MathOverflow.into()));
    }
}
