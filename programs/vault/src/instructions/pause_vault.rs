//! pause_vault: stops trades of this vault. Bot or owner, in any state; pausing twice is pausing.

use crate::{
    accounts::{same, Context},
    arguments::Reader,
    error::{require, Checked, VaultError},
    events, runtime,
    state::Vault,
};
use pinocchio::Address;

#[inline(never)]
pub fn pause_vault(context: &Context, _: &mut Reader) -> Checked {
    is_owner_or_bot(context.vault(), context.at(0).address())?;
    set_paused(context, true);
    Ok(())
}

/// Writes it down and tells it.
#[inline(never)]
pub fn set_paused(context: &Context, paused: bool) {
    context.policy().paused = paused.into();
    events::Paused { paused, timestamp: runtime::now() }.log(context);
}

#[inline(never)]
pub fn is_owner_or_bot(vault: &Vault, authority: &Address) -> Checked {
    require(same(vault.owner(), authority) || is_bot(vault, authority), VaultError::Unauthorized)
}

#[inline(never)]
pub fn is_bot(vault: &Vault, authority: &Address) -> bool {
    vault.bot().is_some_and(|bot| same(bot, authority))
}
