//! close_token_account: an empty token account of the vault or of its trade authority; the rent goes to the owner.

use crate::{
    accounts::{same, Context},
    arguments::Reader,
    constants::{TRADE_SEED, VAULT_SEED},
    create::Derived,
    error::{require, Checked, VaultError},
    runtime::{Places, SIGNER, WRITABLE},
    token::{self, CLOSE_ACCOUNT},
};

#[inline(never)]
pub fn close_token_account(context: &Context, _: &mut Reader) -> Checked {
    let (vault, authority, token_program) = (context.at(1), context.at(2), context.at(4));
    token::any_program(token_program)?;
    let token = token::account(context.at(3), token_program.address()).ok_or(VaultError::InvalidTokenAccount)?;
    require(same(&token.owner, authority.address()), VaultError::InvalidTokenAccount)?;
    require(token.amount() == 0, VaultError::InvalidAmount)?;

    let mut derived = Derived { bump: context.vault().bump(), ..Derived::of(&VAULT_SEED, context.at(0).address()) };
    if !same(authority.address(), vault.address()) {
        derived = Derived::of(&TRADE_SEED, vault.address());
        derived.check(authority.address(), context.program)?;
    }
    token::command(context, 4, CLOSE_ACCOUNT, Places::of([3 | WRITABLE, WRITABLE, 2 | SIGNER]), &derived);
    Ok(())
}
