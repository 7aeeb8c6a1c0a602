//! pause_vault: stops trades of this vault. Bot or owner, in any state; pausing twice is pausing.

use crate::{
    accounts::{load_policy, load_vault, same, signer, writable, Context},
    arguments,
    error::{Checked, VaultError},
    events,
    runtime::Clock,
    state::Vault,
};
use pinocchio::AccountView;

#[inline(never)]
pub fn pause_vault(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [authority, vault_account, mut policy] = context.take()?;
    signer(&authority)?;
    let vault = load_vault(&vault_account, context.program)?;
    writable([&policy])?;
    let policy = load_policy(&mut policy, &vault_account, context.program)?;
    if !is_owner(&vault, &authority) && !is_bot(&vault, &authority) {
        return Err(VaultError::Unauthorized.into());
    }
    policy.paused = 1;
    events::vault_paused(vault_account.address(), authority.address(), true, Clock::get().unix_timestamp);
    Ok(())
}

pub fn is_owner(vault: &Vault, authority: &AccountView) -> bool {
    same(&vault.owner, authority.address())
}

pub fn is_bot(vault: &Vault, authority: &AccountView) -> bool {
    vault.bot_authority.as_ref().is_some_and(|bot| same(bot, authority.address()))
}
