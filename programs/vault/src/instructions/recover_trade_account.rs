//! recover_trade_account: what was left behind in a trade account goes to the vault, the trade authority's lamports to the owner.

use crate::{
    accounts::{same, Context},
    arguments::Reader,
    constants::{SYSTEM_PROGRAM, TRADE_SEED},
    create::{pay, Derived},
    error::Checked,
    runtime::{Places, SIGNER, WRITABLE},
    token::{self, Held, Token, FROM, PROGRAM, REVOKE},
};

const OWNER: u8 = 0;
const TRADE_AUTHORITY: u8 = 2;

#[inline(never)]
pub fn recover_trade_account(context: &Context, _: &mut Reader) -> Checked {
    let (vault, trade) = (context.at(1), context.at(usize::from(TRADE_AUTHORITY)));
    let mut derived = Derived::of(&TRADE_SEED, vault.address());
    derived.check(trade.address(), context.program)?;
    token::check_move(context, Held::of(3, 5, 2, 6), Held::of(4, 5, 1, 6))?;

    if token::source(context).is_some_and(Token::has_delegate) {
        token::command(context, PROGRAM, REVOKE, Places::of([FROM | WRITABLE, TRADE_AUTHORITY | SIGNER]), &derived);
    }
    let amount = token::source(context).map_or(0, Token::amount);
    if amount > 0 {
        token::send_move(context, TRADE_AUTHORITY, amount, &derived);
    }
    // The system program is what can move lamports of an address without data; without it among the accounts they stay.
    if trade.lamports() > 0 && context.rest().iter().any(|account| same(account.address(), &SYSTEM_PROGRAM)) {
        pay(context, Places::of([TRADE_AUTHORITY | WRITABLE | SIGNER, OWNER | WRITABLE]), trade.lamports(), Some(&derived));
    }
    Ok(())
}
