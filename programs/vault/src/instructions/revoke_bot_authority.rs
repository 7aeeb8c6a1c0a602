//! revoke_bot_authority: the owner takes the right to trade away. Nothing gates it.

use crate::{
    accounts::{Context, Owned},
    arguments,
    error::{Checked, VaultError},
    events, runtime,
    state::{Limit, Policy, Vault},
};
use pinocchio::Address;

#[inline(never)]
pub fn revoke_bot_authority(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let Owned { accounts, vault, policy } = context.take_of_owner::<3>(&[1, 2])?;
    if !vault.has_bot() {
        return Err(VaultError::BotAuthorityNotSet.into());
    }
    clear_bot(accounts[1].address(), vault, policy, runtime::now());
    Ok(())
}

/// Clears the bot, and with it the expiry that was meant for it. Also what deactivation does.
#[inline(never)]
pub fn clear_bot(address: &Address, vault: &mut Vault, policy: &mut Policy, now: i64) {
    policy.bot_expires_at.set(0);
    policy.cancel(Limit::BotExpiresAt);
    events::AuthorityChanged {
        vault: address,
        previous: vault.bot(),
        current: None,
        bot_epoch: policy.bot_epoch.get(),
        expires_at: 0,
        timestamp: now,
    }
    .log();
    vault.clear_bot();
}
