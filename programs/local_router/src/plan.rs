//! Instruction data of both routes, to the byte: borsh, little endian, one byte of id before the shared one's fields.

use crate::RouterError;
use pinocchio::error::ProgramError;

pub const ROUTE_V2: [u8; 8] = [0xbb, 0x64, 0xfa, 0xcc, 0x31, 0xc4, 0xaf, 0x14];
pub const SHARED_ACCOUNTS_ROUTE_V2: [u8; 8] = [0xd1, 0x98, 0x53, 0x93, 0x7c, 0xfe, 0xd8, 0xe9];
pub const HOPS_MAX: usize = 2;
const TOKEN_SWAP: u8 = 3;
const ALL_BPS: u16 = 10_000;

/// What a caller asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// The id of the shared program authority, None for `route_v2`.
    pub shared_id: Option<u8>,
    pub in_amount: u64,
    pub quoted_out_amount: u64,
    pub slippage_bps: u16,
    pub hops: usize,
}

impl Plan {
    /// Reads the data and refuses every plan that this router cannot walk.
    pub fn parse(data: &[u8]) -> Result<Self, ProgramError> {
        let (discriminator, mut rest) = data.split_first_chunk::<8>().ok_or(ProgramError::InvalidInstructionData)?;
        let shared_id = match *discriminator {
            ROUTE_V2 => None,
            SHARED_ACCOUNTS_ROUTE_V2 => Some(take::<1>(&mut rest)?[0]),
            _ => return Err(ProgramError::InvalidInstructionData),
        };
        let in_amount = u64::from_le_bytes(take(&mut rest)?);
        let quoted_out_amount = u64::from_le_bytes(take(&mut rest)?);
        let slippage_bps = u16::from_le_bytes(take(&mut rest)?);
        let platform_fee_bps = u16::from_le_bytes(take(&mut rest)?);
        let positive_slippage_bps = u16::from_le_bytes(take(&mut rest)?);
        let hops = u32::from_le_bytes(take(&mut rest)?) as usize;
        if platform_fee_bps != 0 || positive_slippage_bps != 0 || slippage_bps > ALL_BPS || hops == 0 || hops > HOPS_MAX {
            return Err(RouterError::UnsupportedPlan.into());
        }
        for hop in 0..hops {
            let [variant, bps_low, bps_high, input, output] = take::<5>(&mut rest)?;
            let whole = u16::from_le_bytes([bps_low, bps_high]) == ALL_BPS;
            if variant != TOKEN_SWAP || !whole || usize::from(input) != hop || usize::from(output) != hop + 1 {
                return Err(RouterError::UnsupportedPlan.into());
            }
        }
        if !rest.is_empty() {
            return Err(ProgramError::InvalidInstructionData);
        }
        Ok(Self { shared_id, in_amount, quoted_out_amount, slippage_bps, hops })
    }

    /// The least that must arrive: floor(quoted * (10000 - slippage) / 10000), without a product that could overflow.
    pub fn out_amount_min(&self) -> u64 {
        let kept = u64::from(ALL_BPS - self.slippage_bps);
        let (thousands, rest) = (self.quoted_out_amount / u64::from(ALL_BPS), self.quoted_out_amount % u64::from(ALL_BPS));
        thousands.wrapping_mul(kept).wrapping_add(rest.wrapping_mul(kept) / u64::from(ALL_BPS))
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], ProgramError> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(ProgramError::InvalidInstructionData)?;
    *rest = tail;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(shared: bool, hops: &[[u8; 5]]) -> Vec<u8> {
        let mut bytes = if shared { [SHARED_ACCOUNTS_ROUTE_V2.as_slice(), &[7]].concat() } else { ROUTE_V2.to_vec() };
        bytes.extend(1_000_000u64.to_le_bytes());
        bytes.extend(990_000u64.to_le_bytes());
        bytes.extend(50u16.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(u32::try_from(hops.len()).unwrap_or_default().to_le_bytes());
        hops.iter().for_each(|hop| bytes.extend(hop));
        bytes
    }
    const FIRST: [u8; 5] = [3, 0x10, 0x27, 0, 1];
    const SECOND: [u8; 5] = [3, 0x10, 0x27, 1, 2];

    #[test]
    fn both_routes_read_the_same_fields() {
        let plain = Plan::parse(&data(false, &[FIRST])).ok();
        let wanted = Plan { shared_id: None, in_amount: 1_000_000, quoted_out_amount: 990_000, slippage_bps: 50, hops: 1 };
        assert_eq!(plain, Some(wanted));
        let shared = Plan::parse(&data(true, &[FIRST, SECOND])).ok();
        assert_eq!(shared.map(|plan| (plan.shared_id, plan.hops)), Some((Some(7), 2)));
    }

    #[test]
    fn what_cannot_be_walked_is_refused() {
        for hops in [&[][..], &[SECOND], &[FIRST, FIRST], &[[17, 0x10, 0x27, 0, 1]], &[[3, 0x0f, 0x27, 0, 1]]] {
            assert!(Plan::parse(&data(false, hops)).is_err());
        }
        let whole = data(false, &[FIRST]);
        for length in 0..whole.len() {
            assert!(Plan::parse(&whole[..length]).is_err());
        }
        assert!(Plan::parse(&[whole, vec![0]].concat()).is_err());
    }

    #[test]
    fn the_floor_is_rounded_down_and_never_overflows() {
        for (quoted, slippage) in [(990_000u64, 50u16), (u64::MAX, 0), (u64::MAX, 1), (9_999, 1), (1, 9_999), (7, 10_000)] {
            let plan = Plan { shared_id: None, in_amount: 1, quoted_out_amount: quoted, slippage_bps: slippage, hops: 1 };
            let wide = u128::from(quoted) * u128::from(10_000 - slippage) / 10_000;
            assert_eq!(u128::from(plan.out_amount_min()), wide);
        }
    }
}
