//! grant_bot_authority: lets one key trade. Never replaces a bot silently; the slot becomes the bot's epoch.

use crate::{
    accounts::{load_policy, owned_vault, same, store_vault, writable, Context},
    arguments,
    constants::BOT_LIFETIME_SECONDS,
    error::{Checked, VaultError},
    events,
    runtime::Clock,
};
use pinocchio::Address;

#[inline(never)]
pub fn grant_bot_authority(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [owner, mut vault_account, mut policy_account, bot] = context.take()?;
    let mut vault = owned_vault(&vault_account, &owner, context.program)?;
    writable([&vault_account, &policy_account])?;
    let own = [Address::default(), *owner.address(), *vault_account.address(), *policy_account.address()];
    let policy = load_policy(&mut policy_account, &vault_account, context.program)?;
    if !vault.is_active {
        return Err(VaultError::VaultInactive.into());
    }
    if vault.bot_authority.is_some() {
        return Err(VaultError::BotAuthorityAlreadySet.into());
    }
    if own.contains(bot.address()) || same(bot.address(), &policy.trade_authority) {
        return Err(VaultError::InvalidBotAuthority.into());
    }

    let clock = Clock::get();
    let now = clock.unix_timestamp;
    policy.apply_matured(now);
    // An expiry that the owner has set ahead stands; else the bot gets its usual time.
    if policy.bot_expires_at.get() <= now.max(0) as u64 {
        policy.bot_expires_at.set(now.saturating_add(BOT_LIFETIME_SECONDS).max(0) as u64);
    }
    policy.bot_epoch.set(clock.slot);
    policy.was_granted = 1;
    vault.bot_authority = Some(*bot.address());
    store_vault(&mut vault_account, &vault);
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
