//! deposit: base mint from the owner to the vault, under the cap. Anyone else, any other mint, any other account: refused.

use crate::{
    accounts::{same, Context},
    arguments::Reader,
    constants::{DEPOSIT_CEILING, TOKEN_PROGRAM},
    error::{require, Checked, VaultError, OTHER_PROGRAM},
    events::{self, Body},
    runtime::{self, Places, SIGNER, WRITABLE},
    token::{self, Held},
};

#[inline(never)]
pub fn deposit(context: &Context, arguments: &mut Reader) -> Checked {
    let amount = arguments.u64();
    let (vault, config) = (context.vault(), context.config());
    require(same(context.at(7).address(), &TOKEN_PROGRAM), OTHER_PROGRAM)?;
    require(vault.is_active(), VaultError::VaultInactive)?;
    require(config.paused == 0, VaultError::ProgramPaused)?;
    require(amount != 0, VaultError::InvalidAmount)?;
    require(same(context.at(6).address(), &context.policy().base_mint), VaultError::InvalidMint)?;
    token::held_untampered(context, Held::of(5, 6, 1, 7))?;
    token::held(context, Held::of(4, 6, 0, 7))?;
    let total = vault.total_deposited().checked_add(amount).ok_or(VaultError::MathOverflow)?;
    require(total <= config.vault_cap.get().min(DEPOSIT_CEILING), VaultError::DepositCapExceeded)?;

    token::transfer(context, Places::of([4 | WRITABLE, 5 | WRITABLE, SIGNER]), amount, None);
    vault.set_total_deposited(total);
    events::DEPOSITED.log(context, events::Moved { amount, total_deposited: total, timestamp: runtime::now() }.bytes());
    Ok(())
}
