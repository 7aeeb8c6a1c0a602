//! grant_bot_authority: lets one key trade. Never replaces a bot silently; the slot becomes the bot's epoch.

use crate::{
    accounts::{same, Context},
    arguments::Reader,
    constants::{BOT_LIFETIME_SECONDS, SYSTEM_PROGRAM},
    error::{require, Checked, VaultError},
    events,
    runtime::{later, Clock},
};

#[inline(never)]
pub fn grant_bot_authority(context: &Context, _: &mut Reader) -> Checked {
    let (vault, policy) = (context.vault(), context.policy());
    let bot = context.at(3).address();
    require(vault.is_active(), VaultError::VaultInactive)?;
    require(!vault.has_bot(), VaultError::BotAuthorityAlreadySet)?;
    // The system program's address is all zeroes, which stands for nobody.
    let is_given = |place: usize| same(bot, context.at(place).address());
    let is_ours = is_given(0) | is_given(1) | is_given(2) | same(bot, &policy.trade_authority);
    require(!is_ours & !same(bot, &SYSTEM_PROGRAM), VaultError::InvalidBotAuthority)?;

    let clock = Clock::get();
    let (slot, now) = (clock.slot(), clock.now());
    policy.apply_matured(now);
    // An expiry that the owner has set ahead stands; else the bot gets its usual time.
    if policy.bot_expires_at.get() <= now.max(0) as u64 {
        policy.bot_expires_at.set(later(now, BOT_LIFETIME_SECONDS).max(0) as u64);
    }
    policy.bot_epoch.set(slot);
    policy.was_granted = 1;
    vault.set_bot(bot);
    let keys = events::Authority::granted(bot);
    events::Authority { keys, bot_epoch: slot, expires_at: policy.bot_expires_at.get(), timestamp: now }.log(context);
    Ok(())
}
