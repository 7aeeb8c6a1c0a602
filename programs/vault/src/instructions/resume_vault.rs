//! resume_vault: the owner lets trades go on.

use crate::{
    accounts::{load_policy, owned_vault, writable, Context},
    arguments,
    error::Checked,
    events,
    runtime::Clock,
};

#[inline(never)]
pub fn resume_vault(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [owner, vault, mut policy] = context.take()?;
    owned_vault(&vault, &owner, context.program)?;
    writable([&policy])?;
    load_policy(&mut policy, &vault, context.program)?.paused = 0;
    events::vault_paused(vault.address(), owner.address(), false, Clock::get().unix_timestamp);
    Ok(())
}
