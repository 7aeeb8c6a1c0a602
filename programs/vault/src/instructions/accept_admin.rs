//! accept_admin: the pending admin becomes admin, so that the office never goes to a key nobody holds.

use crate::{
    accounts::{same, set, Context},
    arguments::Reader,
    constants::SYSTEM_PROGRAM,
    error::{require, Checked, HAS_ONE},
};

#[inline(never)]
pub fn accept_admin(context: &Context, _: &mut Reader) -> Checked {
    let (authority, config) = (context.at(0).address(), context.config());
    // No one can sign for the address of zeroes, which stands for none.
    require(same(authority, &config.pending_admin), HAS_ONE)?;
    set(&mut config.admin, authority);
    set(&mut config.pending_admin, &SYSTEM_PROGRAM);
    Ok(())
}
