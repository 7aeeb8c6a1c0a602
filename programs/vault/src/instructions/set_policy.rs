//! set_policy: the owner changes what is given. Tightening acts at once, loosening after the delay; before the first grant all acts at once.

use crate::{
    accounts::Unchecked,
    arguments::Reader,
    error::{require, Checked, VaultError},
    events::{self, Body},
    runtime::{later, now},
    state::{Mints, ANY_MINT, BOT_EXPIRES_AT, LIMITS, MINTS_A_CALL_MAX},
};

/// Listed since for ever.
const AT_ONCE: i64 = 1;
/// The bytes of the limits, in the order of the arguments.
static SIZES: [u8; LIMITS.len()] = [8, 8, 8, 2, 2, 2, 8, 1];

/// What is refused after something has been written down has not been written: a failed instruction leaves nothing.
#[inline(never)]
pub fn set_policy(unchecked: &Unchecked, arguments: &mut Reader) -> Checked {
    let mut values = [0; LIMITS.len()];
    let given = arguments.options(&SIZES, &mut values);
    let (pin, unpin) = (arguments.addresses(), arguments.addresses());
    arguments.end()?;
    let context = unchecked.check()?;

    let (policy, now) = (context.policy(), now());
    let due = later(now, policy.loosening_delay.get());
    policy.apply_matured(now);
    // Decided before the mode changes: a mint that any-mint mode admits already is no loosening when it goes on the list.
    let from = if policy.was_granted == 0 || policy.mint_mode == ANY_MINT { AT_ONCE } else { due };
    let (mut left, mut n) = (given, 0);
    while let (true, Some(limit), Some(&value)) = (left != 0, LIMITS.get(n), values.get(n)) {
        if left & 1 != 0 {
            // An expiry of 0 would stand for none.
            require(value <= limit.most && (n != BOT_EXPIRES_AT || value != 0), VaultError::PolicyValueInvalid)?;
            policy.change(n, value, now, due);
        }
        left >>= 1;
        n = n.wrapping_add(1);
    }
    require(pin.len() <= MINTS_A_CALL_MAX && unpin.len() <= MINTS_A_CALL_MAX, VaultError::PolicyValueInvalid)?;
    let mints = Mints { pin, unpin, from, now };
    // Removals first, so that they make room.
    policy.unpin(unpin);
    policy.pin(&mints)?;
    events::POLICY_CHANGED.log(context, now.bytes());
    Ok(())
}
