//! accept_admin: the pending admin becomes admin, so that the office never goes to a key nobody holds.

use crate::{
    accounts::{load_config, same, set, signer, Context},
    arguments,
    constants::SYSTEM_PROGRAM,
    error::{Checked, HAS_ONE},
};

#[inline(never)]
pub fn accept_admin(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [authority, account] = context.take(&[1])?;
    signer(authority)?;
    let config = load_config(account, context.program)?;
    // No one can sign for the address of zeroes, which stands for none.
    if !same(authority.address(), &config.pending_admin) {
        return Err(HAS_ONE);
    }
    set(&mut config.admin, authority.address());
    set(&mut config.pending_admin, &SYSTEM_PROGRAM);
    Ok(())
}
