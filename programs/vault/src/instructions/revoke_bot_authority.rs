//! revoke_bot_authority: the owner takes the right to trade away. Nothing gates it.

use crate::{
    accounts::Context,
    arguments::Reader,
    error::{require, Checked, VaultError},
    events, runtime,
    state::{Vault, BOT_EXPIRES_AT},
};

#[inline(never)]
pub fn revoke_bot_authority(context: &Context, _: &mut Reader) -> Checked {
    let vault = context.vault();
    require(vault.has_bot(), VaultError::BotAuthorityNotSet)?;
    clear_bot(context, vault);
    Ok(())
}

/// Clears the bot, if there is one, and with it the expiry that was meant for it. Also what deactivation does.
#[inline(never)]
pub fn clear_bot(context: &Context, vault: &mut Vault) {
    let Some(bot) = vault.bot() else { return };
    let policy = context.policy();
    policy.bot_expires_at.set(0);
    policy.cancel(BOT_EXPIRES_AT);
    let keys = events::Authority::revoked(bot);
    events::Authority { keys, bot_epoch: policy.bot_epoch.get(), expires_at: 0, timestamp: runtime::now() }.log(context);
    vault.clear_bot();
}
