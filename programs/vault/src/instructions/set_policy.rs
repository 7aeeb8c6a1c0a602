//! set_policy: the owner changes what is given. Tightening acts at once, loosening after the delay; before the first grant all acts at once.

use crate::{
    accounts::{load_policy, owned_vault, same, writable, Context},
    arguments::Reader,
    constants::BPS_PER_ONE,
    error::{Checked, VaultError},
    events,
    runtime::Clock,
    state::{Limit, Policy, ANY_MINT, LIMITS, SLOTS},
};
use pinocchio::Address;

/// Listed since for ever.
const AT_ONCE: i64 = 1;

struct Arguments<'a> {
    /// In the order of `LIMITS`.
    limits: [Option<u64>; LIMITS.len()],
    pin: &'a [[u8; 32]],
    unpin: &'a [[u8; 32]],
}

impl<'a> Arguments<'a> {
    fn read(data: &'a [u8]) -> Checked<Self> {
        let mut reader = Reader::new(data);
        let mut limits = [None; LIMITS.len()];
        for (value, limit) in limits.iter_mut().zip(LIMITS) {
            *value = match limit {
                Limit::SpendPerTrade | Limit::SpendPerDay | Limit::LossPerDay => reader.option(Reader::u64),
                Limit::SpendPerTradeBps | Limit::SpendPerDayBps | Limit::LossPerDayBps => reader.option(Reader::u16).map(u64::from),
                // A negative one becomes greater than any i64 and is refused below.
                Limit::BotExpiresAt => reader.option(Reader::i64).map(|time| time as u64),
                Limit::MintMode => reader.option(Reader::u8).map(u64::from),
            };
        }
        let arguments = Self { limits, pin: reader.addresses(), unpin: reader.addresses() };
        reader.end()?;
        Ok(arguments)
    }

    fn given(&self) -> impl Iterator<Item = (Limit, u64)> + '_ {
        LIMITS.into_iter().zip(self.limits).filter_map(|(limit, value)| value.map(|value| (limit, value)))
    }

    fn check(&self, base_mint: &Address) -> Result<(), VaultError> {
        let is_each_allowed = self.given().all(|(limit, value)| match limit {
            Limit::SpendPerTrade | Limit::SpendPerDay | Limit::LossPerDay => true,
            Limit::SpendPerTradeBps | Limit::SpendPerDayBps | Limit::LossPerDayBps => value <= BPS_PER_ONE,
            Limit::BotExpiresAt => value > 0 && value <= i64::MAX as u64,
            Limit::MintMode => value <= u64::from(ANY_MINT),
        });
        let are_mints_allowed = self.pin.len() <= SLOTS
            && self.unpin.len() <= SLOTS
            && self.pin.iter().all(|mint| mint != base_mint.as_array() && *mint != [0; 32] && !self.unpin.contains(mint));
        if is_each_allowed && are_mints_allowed {
            Ok(())
        } else {
            Err(VaultError::PolicyValueInvalid)
        }
    }
}

#[inline(never)]
pub fn set_policy(context: &Context, data: &[u8]) -> Checked {
    let arguments = Arguments::read(data)?;
    let [owner, vault, mut policy] = context.take()?;
    owned_vault(&vault, &owner, context.program)?;
    writable([&policy])?;
    let policy = load_policy(&mut policy, &vault, context.program)?;
    arguments.check(&policy.base_mint)?;

    let now = Clock::get().unix_timestamp;
    policy.apply_matured(now);
    // Decided before the mode changes: a mint that any-mint mode admits already is no loosening when it goes on the list.
    let listed_from =
        if policy.was_granted == 0 || policy.mint_mode == ANY_MINT { AT_ONCE } else { now.saturating_add(policy.loosening_delay.get()) };
    for (limit, value) in arguments.given() {
        policy.change(limit, value, now);
    }
    list_mints(policy, &arguments, listed_from, now)?;
    events::policy_changed(vault.address(), now);
    Ok(())
}

/// Removals first, so that they make room.
fn list_mints(policy: &mut Policy, arguments: &Arguments, listed_from: i64, now: i64) -> Result<(), VaultError> {
    for mint in arguments.unpin {
        // The address of zeroes marks free slots; there is nothing to remove.
        if !same(&Address::new_from_array(*mint), &Address::default()) {
            policy.unpin(&Address::new_from_array(*mint));
        }
    }
    for mint in arguments.pin {
        policy.pin(&Address::new_from_array(*mint), listed_from, now)?;
    }
    Ok(())
}
