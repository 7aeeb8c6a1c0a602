//! burn_nonce: uses a nonce up without a trade, so that a trade in doubt is cancelled for certain. Works while paused or expired.

use super::pause_vault::{is_bot, is_owner_or_bot};
use crate::{
    accounts::{load_policy, load_vault, signer, Context},
    arguments::{Guard, Reader},
    constants::DEADLINE_SLOTS_MAX,
    error::{Checked, VaultError},
    nonce,
    runtime::Clock,
    state::Policy,
};

#[inline(never)]
pub fn burn_nonce(context: &Context, data: &[u8]) -> Checked {
    let mut reader = Reader::new(data);
    let guard = reader.guard();
    reader.end()?;
    let [authority, vault_account, policy] = context.take(&[2])?;
    signer(authority)?;
    let vault = load_vault(vault_account, context.program)?;
    let policy = load_policy(policy, vault_account, context.program)?;
    let slot = Clock::get().slot;
    is_owner_or_bot(vault, authority)?;
    if is_bot(vault, authority) {
        not_in_slot_of_grant(policy, slot)?;
    }
    Ok(use_nonce(policy, &guard, slot)?)
}

/// A closed and re-created vault could repeat an epoch only within the slot of the grant, so in that slot the bot can do nothing.
pub fn not_in_slot_of_grant(policy: &Policy, slot: u64) -> Result<(), VaultError> {
    if slot <= policy.bot_epoch.get() {
        return Err(VaultError::EpochTooYoung);
    }
    Ok(())
}

/// The guard's three refusals, then the nonce is used up.
#[inline(never)]
pub fn use_nonce(policy: &mut Policy, guard: &Guard, slot: u64) -> Result<(), VaultError> {
    if guard.bot_epoch != policy.bot_epoch.get() {
        return Err(VaultError::BotEpochMismatch);
    }
    if guard.deadline_slot.checked_sub(slot).is_none_or(|ahead| ahead > DEADLINE_SLOTS_MAX) {
        return Err(VaultError::DeadlinePassed);
    }
    nonce::mark(&mut policy.nonce_base, &mut policy.nonce_bitmap, guard.nonce)
}
