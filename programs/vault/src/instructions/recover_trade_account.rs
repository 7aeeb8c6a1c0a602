//! recover_trade_account: what was left behind in a trade account goes to the vault, the trade authority's lamports to the owner.

use crate::{
    accounts::{owned_vault, writable, Context},
    arguments,
    constants::{SYSTEM_PROGRAM, TRADE_SEED},
    error::SEEDS,
    token,
};
use pinocchio::{
    address::address_eq,
    cpi::{Seed, Signer},
    Address, ProgramResult,
};
use pinocchio_system::instructions::Transfer;

const ACCOUNTS: usize = 7;

#[inline(never)]
pub fn recover_trade_account(context: Context, data: &[u8]) -> ProgramResult {
    arguments::none(data)?;
    let [owner, vault_account, trade, trade_token, vault_token, mint, token_program] = context.take::<ACCOUNTS>()?;
    owned_vault(&vault_account, &owner, context.program)?;
    writable([&owner, &trade, &trade_token, &vault_token])?;
    token::any_program(&token_program)?;
    let (address, bump) = Address::find_program_address(&[TRADE_SEED, vault_account.address().as_ref()], context.program);
    if !address_eq(trade.address(), &address) {
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
        token::revoke(token_program.address(), &trade_token, &trade, &signers)?;
    }
    let extra = context.rest(ACCOUNTS);
    if amount > 0 {
        let transfer = token::Transfer {
            program: token_program.address(),
            from: &trade_token,
            mint: &mint,
            to: &vault_token,
            authority: &trade,
            extra,
        };
        transfer.checked(amount, decimals, &signers)?;
    }
    // The system program is what can move lamports of an address without data; without it among the accounts they stay.
    if trade.lamports() > 0 && extra.iter().any(|account| address_eq(account.address(), &SYSTEM_PROGRAM)) {
        Transfer { from: &trade, to: &owner, lamports: trade.lamports() }.invoke_signed(&signers)?;
    }
    Ok(())
}
