//! The pool's arithmetic, in 64-bit steps: this target has neither 128-bit products nor 128-bit division.

/// Of 10,000: what of the input counts after the fee.
pub const KEPT_BPS: u64 = 9_970;
const BPS: u64 = 10_000;

/// The full product of two 64-bit numbers as (high, low), by 32-bit limbs.
pub fn wide_mul(a: u64, b: u64) -> (u64, u64) {
    const LOW: u64 = 0xffff_ffff;
    let (a1, a0, b1, b0) = (a >> 32, a & LOW, b >> 32, b & LOW);
    let low = a0.wrapping_mul(b0);
    let middle = a1.wrapping_mul(b0).wrapping_add(low >> 32);
    let middle2 = a0.wrapping_mul(b1).wrapping_add(middle & LOW);
    let high = a1.wrapping_mul(b1).wrapping_add(middle >> 32).wrapping_add(middle2 >> 32);
    (high, (middle2 << 32) | (low & LOW))
}

/// floor(a * b / divisor), None when it does not fit 64 bits or the divisor is zero. Binary long division.
pub fn mul_div(a: u64, b: u64, divisor: u64) -> Option<u64> {
    let (high, low) = wide_mul(a, b);
    if high >= divisor {
        return None;
    }
    let (mut remainder, mut quotient) = (high, 0u64);
    let mut bit = 64;
    while bit > 0 {
        bit -= 1;
        let carry = remainder >> 63;
        remainder = (remainder << 1) | ((low >> bit) & 1);
        quotient <<= 1;
        if carry == 1 || remainder >= divisor {
            remainder = remainder.wrapping_sub(divisor);
            quotient |= 1;
        }
    }
    Some(quotient)
}

/// What `amount_in` buys: floor(out * kept / (in + kept)) with kept = floor(amount_in * 0.997). None when nothing, or when it does not fit.
pub fn amount_out(reserve_in: u64, reserve_out: u64, amount_in: u64) -> Option<u64> {
    let kept = mul_div(amount_in, KEPT_BPS, BPS)?;
    let out = mul_div(reserve_out, kept, reserve_in.checked_add(kept)?)?;
    reserve_in.checked_add(amount_in)?;
    if out == 0 {
        None
    } else {
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(a: u64, b: u64, divisor: u64) -> Option<u64> {
        u64::try_from((u128::from(a) * u128::from(b)).checked_div(u128::from(divisor))?).ok()
    }

    #[test]
    fn products_and_quotients_agree_with_128_bits() {
        let edges = [0, 1, 2, 3, 9_970, 10_000, u64::from(u32::MAX), 1 << 32, 1 << 63, u64::MAX - 1, u64::MAX];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut numbers = edges.to_vec();
        for _ in 0..60 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            numbers.push(state >> (state & 63));
        }
        for &a in &numbers {
            for &b in &numbers {
                let (high, low) = wide_mul(a, b);
                assert_eq!((u128::from(high) << 64) | u128::from(low), u128::from(a) * u128::from(b));
                for &divisor in &numbers {
                    assert_eq!(mul_div(a, b, divisor), reference(a, b, divisor), "{a} * {b} / {divisor}");
                }
            }
        }
    }

    #[test]
    fn the_product_of_reserves_never_falls() {
        for (reserve_in, reserve_out, amount_in) in [(1_000_000, 2_000_000, 10_000), (5, 7, 3), (u64::MAX / 2, u64::MAX / 2, 1 << 40)] {
            if let Some(out) = amount_out(reserve_in, reserve_out, amount_in) {
                let before = u128::from(reserve_in) * u128::from(reserve_out);
                assert!(u128::from(reserve_in + amount_in) * u128::from(reserve_out - out) >= before);
            }
        }
    }

    #[test]
    fn nothing_is_bought_with_nothing() {
        assert_eq!(super::amount_out(1_000, 1_000, 0), None);
        assert_eq!(super::amount_out(0, 1_000, 0), None);
        assert_eq!(super::amount_out(1_000, 0, 100), None);
        assert_eq!(super::amount_out(u64::MAX, 1_000, 100), None);
    }
}
