//! set_policy: the owner changes what is given. Tightening acts at once, loosening after the delay; before the first grant all acts at once.

use crate::{
    accounts::{same, Context, Owned},
    arguments::Reader,
    constants::{BPS_PER_ONE, SYSTEM_PROGRAM},
    error::{Checked, VaultError},
    events, runtime,
    state::{Limit, ANY_MINT, LIMITS, SLOTS},
};
use pinocchio::Address;

/// Listed since for ever.
const AT_ONCE: i64 = 1;

/// Every limit in the order of `LIMITS`: its bytes in the arguments, and the most it may be.
static SHAPES: [(u8, u64); LIMITS.len()] = [
    (8, u64::MAX),
    (8, u64::MAX),
    (8, u64::MAX),
    (2, BPS_PER_ONE),
    (2, BPS_PER_ONE),
    (2, BPS_PER_ONE),
    // A negative time is read as a number beyond the most.
    (8, i64::MAX as u64),
    (1, ANY_MINT as u64),
];

#[inline(never)]
pub fn set_policy(context: &Context, data: &[u8]) -> Checked {
    let mut reader = Reader::new(data);
    // Not options: a value that is not given is marked in `given`, so that nothing is moved about.
    let (mut given, mut values) = (0u8, [0u64; LIMITS.len()]);
    for (n, (value, (size, _))) in values.iter_mut().zip(&SHAPES).enumerate() {
        if reader.bool() {
            given |= 1u8.wrapping_shl(n as u32);
            *value = reader.number(usize::from(*size));
        }
    }
    let (pin, unpin) = (reader.addresses(), reader.addresses());
    reader.end()?;
    let Owned { accounts, policy, .. } = context.take_of_owner::<3>(&[2])?;
    check_mints(pin, unpin, &policy.base_mint)?;

    let now = runtime::now();
    policy.apply_matured(now);
    // Decided before the mode changes: a mint that any-mint mode admits already is no loosening when it goes on the list.
    let listed_from =
        if policy.was_granted == 0 || policy.mint_mode == ANY_MINT { AT_ONCE } else { runtime::later(now, policy.loosening_delay.get()) };
    for (n, ((value, limit), (_, most))) in values.iter().zip(&LIMITS).zip(&SHAPES).enumerate() {
        if given.wrapping_shr(n as u32) & 1 == 0 {
            continue;
        }
        // An expiry of 0 would stand for none.
        if value > most || (*limit == Limit::BotExpiresAt && *value == 0) {
            return Err(VaultError::PolicyValueInvalid.into());
        }
        policy.change(*limit, *value, now);
    }
    // Removals first, so that they make room.
    for mint in unpin {
        policy.unpin(mint);
    }
    for mint in pin {
        policy.pin(mint, listed_from, now)?;
    }
    events::policy_changed(accounts[1].address(), now);
    Ok(())
}

/// The base mint is no position, zeroes are no mint, and nothing is put on the list and taken off it at once.
#[inline(never)]
fn check_mints(pin: &[Address], unpin: &[Address], base_mint: &Address) -> Result<(), VaultError> {
    let are_few = pin.len() <= SLOTS && unpin.len() <= SLOTS;
    let is_allowed =
        |mint: &Address| !same(mint, base_mint) && !same(mint, &SYSTEM_PROGRAM) && !unpin.iter().any(|other| same(mint, other));
    if are_few && pin.iter().all(is_allowed) {
        Ok(())
    } else {
        Err(VaultError::PolicyValueInvalid)
    }
}
