//! grant_bot_authority: lets one key trade. Never replaces a bot silently; the slot becomes the bot's epoch.

use crate::{
    accounts::{same, Context, Owned},
    arguments,
    constants::{BOT_LIFETIME_SECONDS, SYSTEM_PROGRAM},
    error::{Checked, VaultError},
    events,
    runtime::{self, Clock},
};

#[inline(never)]
pub fn grant_bot_authority(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let Owned { accounts, vault, policy } = context.take_of_owner::<4>(&[1, 2])?;
    let [owner, vault_account, policy_account, bot] = accounts;
    if !vault.is_active() {
        return Err(VaultError::VaultInactive.into());
    }
    if vault.has_bot() {
        return Err(VaultError::BotAuthorityAlreadySet.into());
    }
    // The system program's address is all zeroes, which stands for nobody.
    let own = [&SYSTEM_PROGRAM, owner.address(), vault_account.address(), policy_account.address(), &policy.trade_authority];
    if own.iter().any(|address| same(bot.address(), address)) {
        return Err(VaultError::InvalidBotAuthority.into());
    }

    let clock = Clock::get();
    let now = clock.unix_timestamp;
    policy.apply_matured(now);
    // An expiry that the owner has set ahead stands; else the bot gets its usual time.
    if policy.bot_expires_at.get() <= now.max(0) as u64 {
        policy.bot_expires_at.set(runtime::later(now, BOT_LIFETIME_SECONDS).max(0) as u64);
    }
    policy.bot_epoch.set(clock.slot);
    policy.was_granted = 1;
    vault.set_bot(bot.address());
    events::AuthorityChanged {
        vault: vault_account.address(),
        previous: None,
        current: Some(bot.address()),
        bot_epoch: clock.slot,
        expires_at: policy.bot_expires_at.get(),
        timestamp: now,
    }
    .log();
    Ok(())
}
