//! recover_trade_account: what was left behind in a trade account goes to the vault, the trade authority's lamports to the owner.

use crate::{
    accounts::{owned_vault, same, writable, Context},
    arguments,
    constants::{SYSTEM_PROGRAM, TRADE_SEED},
    create::pay,
    error::{Checked, SEEDS},
    token,
};
use pinocchio::{
    cpi::{Seed, Signer},
    Address,
};

const ACCOUNTS: usize = 7;

#[inline(never)]
pub fn recover_trade_account(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [owner, vault_account, trade, trade_token, vault_token, mint, token_program] = context.take::<ACCOUNTS>()?;
    owned_vault(&vault_account, &owner, context.program)?;
    writable([&owner, &trade, &trade_token, &vault_token])?;
    token::any_program(&token_program)?;
    let (address, bump) = Address::find_program_address(&[TRADE_SEED, vault_account.address().as_ref()], context.program);
    if !same(trade.address(), &address) {
        return Err(SEEDS);
    }
    let decimals = token::mint_decimals(&mint, token_program.address())?;
    let (amount, has_delegate) = {
        let token = token::account_of(&trade_token, token_program.address(), mint.address(), trade.address())?;
        (token.amount(), token.has_delegate())
    };
    token::account_of(&vault_token, token_program.address(), mint.address(), vault_account.address())?;

    let bump = [bump];
    let seeds = [Seed::from(TRADE_SEED), Seed::from(vault_account.address().as_ref()), Seed::from(&bump)];
    let signers = [Signer::from(&seeds)];
    if has_delegate {
        let command = token::Command { program: token_program.address(), account: &trade_token, to: &owner, authority: &trade };
        command.revoke(&signers);
    }
    let extra = context.rest(ACCOUNTS);
    if amount > 0 {
        let transfer = token::Transfer {
            program: token_program.address(),
            from: &trade_token,
            mint: &mint,
            to: &vault_token,
            authority: &trade,
            amount,
            decimals,
            extra,
        };
        transfer.checked(&signers);
    }
    // The system program is what can move lamports of an address without data; without it among the accounts they stay.
    if trade.lamports() > 0 && extra.iter().any(|account| same(account.address(), &SYSTEM_PROGRAM)) {
        pay(&trade, &owner, trade.lamports(), &signers);
    }
    Ok(())
}
