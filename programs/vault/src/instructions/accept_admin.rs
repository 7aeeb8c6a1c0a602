//! accept_admin: the pending admin becomes admin, so that the office never goes to a key nobody holds.

use crate::{
    accounts::{load_config, same, signer, writable, Context},
    arguments,
    error::{Checked, HAS_ONE},
};
use pinocchio::Address;

#[inline(never)]
pub fn accept_admin(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [authority, mut account] = context.take()?;
    signer(&authority)?;
    writable([&account])?;
    let config = load_config(&mut account, context.program)?;
    // No one can sign for the address of zeroes, which stands for none.
    if !same(authority.address(), &config.pending_admin) {
        return Err(HAS_ONE);
    }
    config.admin = *authority.address();
    config.pending_admin = Address::default();
    Ok(())
}
