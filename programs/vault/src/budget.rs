//! Sums that bound what a bot can cost: shares, pro-rata cost, and a rolling day of 25 hourly buckets. Every rounding is against the bot.

use crate::{constants::BPS_PER_ONE, error::VaultError, le::U64};

pub const BUCKETS: usize = 25;
pub const BUCKET_SECONDS: u64 = 3_600;

/// The smaller of an absolute cap and a share of `basis`, the share rounded down.
#[inline(never)]
pub fn cap(absolute: u64, share_bps: u16, basis: u64) -> u64 {
    absolute.min(mul_div_floor(basis, u64::from(share_bps), BPS_PER_ONE).unwrap_or(u64::MAX))
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
    let steps = (hour - newest).min(BUCKETS as u64);
    for step in 0..steps {
        let index = bucket(hour - step);
        if let (Some(spend), Some(loss)) = (spend.get_mut(index), loss.get_mut(index)) {
            spend.set(0);
            loss.set(0);
        }
    }
    hour
}

/// Adds `amount` to the bucket of `newest`, unless the window's sum would exceed `cap`.
#[inline(never)]
pub fn charge(buckets: &mut [U64; BUCKETS], newest: u64, amount: u64, cap: u64, refusal: VaultError) -> Result<(), VaultError> {
    let mut sum = amount;
    for bucket in buckets.iter() {
        sum = sum.checked_add(bucket.get()).ok_or(VaultError::MathOverflow)?;
    }
    if sum > cap {
        return Err(refusal);
    }
    let bucket = buckets.get_mut(bucket(newest)).ok_or(VaultError::MathOverflow)?;
    // The sum above, which did not overflow, includes this one.
    bucket.set(bucket.get() + amount);
    Ok(())
}

fn bucket(hour: u64) -> usize {
    (hour % BUCKETS as u64) as usize
}

/// a * b / d rounded down; None when it does not fit, or d is 0.
pub fn mul_div_floor(a: u64, b: u64, d: u64) -> Option<u64> {
    mul_div(a, b, d).map(|(quotient, _)| quotient)
}

/// a * b / d rounded up; None when it does not fit, or d is 0.
pub fn mul_div_ceil(a: u64, b: u64, d: u64) -> Option<u64> {
    let (quotient, rest) = mul_div(a, b, d)?;
    quotient.checked_add(u64::from(rest != 0))
}

const LOW: u64 = 0xffff_ffff;

/// Quotient and remainder. The target has no 128-bit arithmetic, so the product is made of 32-bit limbs and divided by them.
fn mul_div(a: u64, b: u64, d: u64) -> Option<(u64, u64)> {
    let (high, low) = product(a, b);
    if high >= d {
        return None;
    }
    Some(divided(high, low, d))
}

fn product(a: u64, b: u64) -> (u64, u64) {
    let (a1, a0, b1, b0) = (a >> 32, a & LOW, b >> 32, b & LOW);
    // Each product of two 32-bit numbers, and each sum below, fits 64 bits.
    let (low, middle) = (a0.wrapping_mul(b0), a1.wrapping_mul(b0));
    let middle = middle + (low >> 32);
    let (carry, middle) = (middle >> 32, (middle & LOW) + a0.wrapping_mul(b1));
    (a1.wrapping_mul(b1) + carry + (middle >> 32), (middle << 32) | (low & LOW))
}

/// (high, low) / d by schoolbook division in base 2^32 (Knuth's algorithm D). Requires high < d.
fn divided(high: u64, low: u64, d: u64) -> (u64, u64) {
    let shift = d.leading_zeros();
    let d = d << shift;
    // Two shifts, because one by 64 is none.
    let high = (high << shift) | ((low >> 1) >> (63 - shift));
    let low = low << shift;
    let (upper, rest) = digit(high, low >> 32, d);
    let (lower, rest) = digit(rest, low & LOW, d);
    ((upper << 32) | lower, rest >> shift)
}

/// One digit of the quotient and the remainder: (high * 2^32 + next) / d, where d has its top bit set and high < d.
fn digit(high: u64, next: u64, d: u64) -> (u64, u64) {
    let (d1, d0) = (d >> 32, d & LOW);
    let (mut q, mut rest) = (high / d1, high % d1);
    while q > LOW || q.wrapping_mul(d0) > ((rest << 32) | next) {
        q -= 1;
        rest += d1;
        if rest > LOW {
            break;
        }
    }
    (q, (high << 32).wrapping_add(next).wrapping_sub(q.wrapping_mul(d)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: [u64; 12] = [0, 1, 2, 9_999, 10_000, LOW - 1, LOW, LOW + 1, 1_000_000_000, (1 << 63) - 1, u64::MAX - 1, u64::MAX];

    fn check(a: u64, b: u64, d: u64) {
        let wide = u128::from(a) * u128::from(b);
        let fits = |q: u128| u64::try_from(q).ok();
        let (floor, ceil) = if d == 0 { (None, None) } else { (fits(wide / u128::from(d)), fits(wide.div_ceil(u128::from(d)))) };
        assert_eq!(mul_div_floor(a, b, d), floor, "{a} * {b} / {d}");
        assert_eq!(mul_div_ceil(a, b, d), ceil, "{a} * {b} / {d} up");
    }

    #[test]
    fn agrees_with_128_bits_at_the_edges() {
        for a in EDGES {
            for b in EDGES {
                for d in EDGES {
                    check(a, b, d);
                }
            }
        }
    }

    #[test]
    fn agrees_with_128_bits_anywhere() {
        let mut seed = 1u64;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed >> (seed % 60)
        };
        for _ in 0..300_000 {
            let (a, b, d) = (next(), next(), next());
            check(a, b, d);
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
        assert_eq!(charge(&mut spend, 4, 11, 100, VaultError::SpendLimitExceeded), Err(VaultError::SpendLimitExceeded));
        assert_eq!(spend, buckets(&[(3, 40), (4, 50)]));
        assert_eq!(charge(&mut spend, 4, 10, 100, VaultError::SpendLimitExceeded), Ok(()));
        assert_eq!(spend, buckets(&[(3, 40), (4, 60)]));
        assert_eq!(charge(&mut spend, 4, u64::MAX, u64::MAX, VaultError::SpendLimitExceeded), Err(VaultError::MathOverflow));
    }
}
