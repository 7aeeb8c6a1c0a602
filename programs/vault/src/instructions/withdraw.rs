//! withdraw: any mint, classic or Token-2022, from the vault to its owner, at any time. No pause, no config, no bot stands in the way.

use crate::{
    accounts::{same, Context},
    arguments::Reader,
    constants::VAULT_SEED,
    create::Derived,
    error::{require, Checked, VaultError},
    events::{self, Body},
    runtime,
    token::{self, Held, Token},
};

#[inline(never)]
pub fn withdraw(context: &Context, arguments: &mut Reader) -> Checked {
    let amount = arguments.u64();
    let (owner, mint) = (context.at(0).address(), context.at(5).address());
    require(amount != 0, VaultError::InvalidAmount)?;
    token::check_move(context, Held::of(3, 5, 1, 6), Held::of(4, 5, 0, 6))?;
    let balance = token::source(context).map_or(0, Token::amount);
    require(amount <= balance, VaultError::InsufficientVaultBalance)?;

    let (vault, policy) = (context.vault(), context.policy());
    token::send_move(context, 1, amount, &Derived { bump: vault.bump(), ..Derived::of(&VAULT_SEED, owner) });
    if same(mint, &policy.base_mint) {
        vault.set_total_deposited(vault.total_deposited().saturating_sub(amount));
    } else if let Some(slot) = policy.slot_of(mint) {
        slot.withdraw(amount, balance.wrapping_sub(amount));
    }
    events::WITHDRAWN.log(context, events::Moved { amount, total_deposited: vault.total_deposited(), timestamp: runtime::now() }.bytes());
    Ok(())
}
