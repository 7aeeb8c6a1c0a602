//! What a router may be told: Jupiter's `route_v2` or `shared_accounts_route_v2`, the whole trade amount, no fee to anyone.

use crate::{
    constants::ROUTE_DATA_BYTES_MAX,
    error::{require, Checked, VaultError},
    le::{U16, U64},
};

pub const ROUTE_V2: [u8; 8] = [0xbb, 0x64, 0xfa, 0xcc, 0x31, 0xc4, 0xaf, 0x14];
pub const SHARED_ACCOUNTS_ROUTE_V2: [u8; 8] = [0xd1, 0x98, 0x53, 0x93, 0x7c, 0xfe, 0xd8, 0xe9];

/// Where the accounts that the vault pins down stand among the router's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Own,
    Shared,
}

impl Route {
    /// Number of fixed accounts before those of the steps.
    pub fn fixed_accounts(self) -> usize {
        match self {
            Route::Own => 10,
            Route::Shared => 12,
        }
    }
}

/// The head before the steps: in_amount u64, quoted_out_amount u64, slippage_bps u16, platform_fee_bps u16, positive_slippage_bps u16,
/// number of steps u32.
#[repr(C)]
struct Head {
    in_amount: U64,
    quoted_out_amount: U64,
    slippage_bps: U16,
    platform_fee_bps: U16,
    positive_slippage_bps: U16,
    steps: [u8; 4],
}

/// Reads the fixed head of both instructions. The plan after it is the router's business: whatever it does, only `amount_in` is at stake.
#[inline(never)]
pub fn check(data: &[u8], amount_in: u64, route: &mut Route) -> Checked {
    require(data.len() <= ROUTE_DATA_BYTES_MAX, VaultError::RouteDataMalformed)?;
    let discriminator = data.first_chunk().ok_or(VaultError::RouteDataMalformed)?;
    let at = if *discriminator == ROUTE_V2 {
        8
    } else {
        require(*discriminator == SHARED_ACCOUNTS_ROUTE_V2, VaultError::RouteNotAllowed)?;
        *route = Route::Shared;
        // After the number of the router's own accounts.
        9
    };
    // At least one byte of a step must follow.
    require(data.len() > at + size_of::<Head>(), VaultError::RouteDataMalformed)?;
    // SAFETY: as long as that, and every field is bytes.
    let head = unsafe { &*data.as_ptr().add(at).cast::<Head>() };
    require(head.in_amount.get() == amount_in, VaultError::RouteAmountMismatch)?;
    let takes_a_fee = head.platform_fee_bps.get() | head.positive_slippage_bps.get() != 0;
    require(!takes_a_fee && head.steps != [0; 4], VaultError::RouteDataMalformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;

    fn parse(data: &[u8], amount_in: u64) -> Result<Route, Fault> {
        let mut route = Route::Own;
        check(data, amount_in, &mut route).map(|()| route)
    }

    fn route_v2(in_amount: u64, platform_fee_bps: u16, positive_slippage_bps: u16, steps: u32) -> Vec<u8> {
        let mut data = ROUTE_V2.to_vec();
        data.extend(in_amount.to_le_bytes());
        data.extend(990u64.to_le_bytes());
        data.extend(50u16.to_le_bytes());
        data.extend(platform_fee_bps.to_le_bytes());
        data.extend(positive_slippage_bps.to_le_bytes());
        data.extend(steps.to_le_bytes());
        data.extend([0x11, 0x01, 0x10, 0x27, 0x00, 0x01]);
        data
    }

    fn shared(own: &[u8]) -> Vec<u8> {
        [&SHARED_ACCOUNTS_ROUTE_V2[..], &[3], &own[8..]].concat()
    }

    #[test]
    fn both_routes_are_read() {
        let own = route_v2(1_000, 0, 0, 1);
        assert_eq!(parse(&own, 1_000), Ok(Route::Own));
        assert_eq!(parse(&shared(&own), 1_000), Ok(Route::Shared));
    }

    #[test]
    fn every_shorter_prefix_is_malformed() {
        let own = route_v2(1_000, 0, 0, 1);
        for full in [own.clone(), shared(&own)] {
            let head = full.len() - 6;
            for length in 0..=head {
                assert_eq!(parse(&full[..length], 1_000), Err(VaultError::RouteDataMalformed.into()), "{length}");
            }
        }
    }

    #[test]
    fn what_is_not_allowed_has_its_own_name() {
        let mut exact_out = route_v2(1_000, 0, 0, 1);
        exact_out[0] ^= 1;
        let cases = [
            (exact_out, VaultError::RouteNotAllowed),
            (route_v2(999, 0, 0, 1), VaultError::RouteAmountMismatch),
            (route_v2(1_000, 1, 0, 1), VaultError::RouteDataMalformed),
            (route_v2(1_000, 256, 0, 1), VaultError::RouteDataMalformed),
            (route_v2(1_000, 0, 1, 1), VaultError::RouteDataMalformed),
            (route_v2(1_000, 0, 0, 0), VaultError::RouteDataMalformed),
            (vec![0xbb; ROUTE_DATA_BYTES_MAX + 1], VaultError::RouteDataMalformed),
        ];
        for (data, expected) in cases {
            assert_eq!(parse(&data, 1_000), Err(expected.into()));
        }
    }
}
