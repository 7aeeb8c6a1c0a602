//! burn_nonce: uses a nonce up without a trade, so that a trade in doubt is cancelled for certain. Works while paused or expired.

use super::pause_vault::{is_bot, is_owner_or_bot};
use crate::{
    accounts::Context,
    arguments::{Guard, Reader},
    constants::DEADLINE_SLOTS_MAX,
    error::{require, Checked, VaultError},
    nonce,
    runtime::Clock,
    state::Policy,
};

#[inline(never)]
pub fn burn_nonce(context: &Context, arguments: &mut Reader) -> Checked {
    let guard = arguments.guard();
    let (authority, vault, policy) = (context.at(0).address(), context.vault(), context.policy());
    let slot = Clock::get().slot();
    is_owner_or_bot(vault, authority)?;
    if is_bot(vault, authority) {
        not_in_slot_of_grant(policy, slot)?;
    }
    use_nonce(policy, &guard, slot)
}

/// A closed and re-created vault could repeat an epoch only within the slot of the grant, so in that slot the bot can do nothing.
pub fn not_in_slot_of_grant(policy: &Policy, slot: u64) -> Checked {
    require(slot > policy.bot_epoch.get(), VaultError::EpochTooYoung)
}

/// The guard's three refusals, then the nonce is used up.
#[inline(never)]
pub fn use_nonce(policy: &mut Policy, guard: &Guard, slot: u64) -> Checked {
    require(guard.bot_epoch == policy.bot_epoch.get(), VaultError::BotEpochMismatch)?;
    let is_in_time = slot <= guard.deadline_slot && guard.deadline_slot.wrapping_sub(slot) <= DEADLINE_SLOTS_MAX;
    require(is_in_time, VaultError::DeadlinePassed)?;
    nonce::mark(&mut policy.nonce_base, &mut policy.nonce_bitmap, guard.nonce)
}
