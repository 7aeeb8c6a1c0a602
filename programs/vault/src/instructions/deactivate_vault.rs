//! deactivate_vault: ends trading and deposits for good and clears the bot. Withdrawals stay.

use super::revoke_bot_authority::clear_bot;
use crate::{
    accounts::Context,
    arguments::Reader,
    error::{require, Checked, VaultError},
    events::{self, Body},
    runtime,
};

#[inline(never)]
pub fn deactivate_vault(context: &Context, _: &mut Reader) -> Checked {
    let vault = context.vault();
    require(vault.is_active(), VaultError::VaultAlreadyInactive)?;
    vault.deactivate();
    clear_bot(context, vault);
    events::VAULT_DEACTIVATED.log(context, runtime::now().bytes());
    Ok(())
}
