//! pause_vault: stops trades of this vault. Bot or owner, in any state; pausing twice is pausing.

use crate::{
    accounts::{load_policy, load_vault, same, signer, Context},
    arguments,
    error::{Checked, VaultError},
    events, runtime,
    state::Vault,
};
use pinocchio::AccountView;

#[inline(never)]
pub fn pause_vault(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [authority, vault_account, policy] = context.take(&[2])?;
    signer(authority)?;
    let vault = load_vault(vault_account, context.program)?;
    let policy = load_policy(policy, vault_account, context.program)?;
    is_owner_or_bot(vault, authority)?;
    policy.paused = 1;
    events::vault_paused(vault_account.address(), authority.address(), true, runtime::now());
    Ok(())
}

#[inline(never)]
pub fn is_owner_or_bot(vault: &Vault, authority: &AccountView) -> Result<(), VaultError> {
    if same(vault.owner(), authority.address()) || is_bot(vault, authority) {
        Ok(())
    } else {
        Err(VaultError::Unauthorized)
    }
}

#[inline(never)]
pub fn is_bot(vault: &Vault, authority: &AccountView) -> bool {
    vault.bot().is_some_and(|bot| same(bot, authority.address()))
}
