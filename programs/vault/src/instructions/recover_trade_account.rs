//! recover_trade_account: what was left behind in a trade account goes to the vault, the trade authority's lamports to the owner.

use crate::{
    accounts::{owned_vault, same, Context},
    arguments,
    constants::{SYSTEM_PROGRAM, TRADE_SEED},
    create::{pay, Derived},
    error::Checked,
    token::{self, Transfer, TRANSFER_ACCOUNTS},
};

#[inline(never)]
pub fn recover_trade_account(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let accounts = context.take::<TRANSFER_ACCOUNTS>(&[0, 2, 3, 4])?;
    let [owner, vault_account, trade, ..] = accounts;
    owned_vault(vault_account, owner, context.program)?;
    let mut derived = Derived::of(TRADE_SEED, vault_account.address());
    derived.check(trade, context.program)?;
    let mut transfer = Transfer::of(context, accounts);
    transfer.check(trade.address(), vault_account.address())?;

    let (amount, has_delegate) = token::left_in(transfer.from(), transfer.program());
    if has_delegate {
        let command = token::Command { program: transfer.program(), account: transfer.from(), to: owner, authority: trade };
        command.revoke(&derived);
    }
    if amount > 0 {
        transfer.send(trade, amount, &derived);
    }
    // The system program is what can move lamports of an address without data; without it among the accounts they stay.
    if trade.lamports() > 0 && transfer.extra.iter().any(|account| same(account.address(), &SYSTEM_PROGRAM)) {
        pay(trade, owner, trade.lamports(), Some(&derived));
    }
    Ok(())
}
