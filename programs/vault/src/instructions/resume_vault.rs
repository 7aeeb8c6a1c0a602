//! resume_vault: the owner lets trades go on.

use crate::{
    accounts::{Context, Owned},
    arguments,
    error::Checked,
    events, runtime,
};

#[inline(never)]
pub fn resume_vault(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let Owned { accounts, policy, .. } = context.take_of_owner::<3>(&[2])?;
    let [owner, vault, _] = accounts;
    policy.paused = 0;
    events::vault_paused(vault.address(), owner.address(), false, runtime::now());
    Ok(())
}
