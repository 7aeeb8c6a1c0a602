//! What of the trade authority's a route can reach, and that it comes back as it was.

use crate::{
    accounts::{is_of, same, same_rarely, Context},
    constants::*,
    error::{require, Checked, VaultError},
    scratch,
    token::{self, Token},
};
use pinocchio::{AccountView, Address};

/// A token account of the trade authority as it was before the route.
pub struct Before {
    account: AccountView,
    state: u8,
    /// What it must still hold; nothing for the two accounts that the trade passes through.
    amount: u64,
    /// Lamports that are not wrapped tokens.
    spare_lamports: u64,
}

/// Everything of the trade authority that the route can reach.
pub struct Watched {
    authority_lamports: u64,
    count: usize,
}

const BOT: usize = 0;
const VAULT: usize = 1;
const TRADE_AUTHORITY: usize = 4;
const TRADE_INPUT: usize = 7;
const TRADE_OUTPUT: usize = 8;

impl Watched {
    #[inline(always)]
    pub fn none() -> Self {
        Self { authority_lamports: 0, count: 0 }
    }

    /// Refuses what must never be handed to a router, and notes what must come back as it was.
    #[inline(never)]
    pub fn note(&mut self, context: &Context, owner: &Address) -> Checked {
        let route = context.rest();
        require(route.len() <= ROUTE_ACCOUNTS_MAX, VaultError::ForbiddenRemainingAccount)?;
        let address = |place: usize| context.at(place).address();
        let (bot, vault, trade_authority) = (address(BOT), address(VAULT), address(TRADE_AUTHORITY));
        self.authority_lamports = context.at(TRADE_AUTHORITY).lamports();
        self.add(context.at(TRADE_INPUT), 0);
        self.add(context.at(TRADE_OUTPUT), 0);
        for account in route {
            let given = account.address();
            let is_person = same_rarely(given, bot) || same_rarely(given, owner);
            require(!is_person && !is_of(account, context.program), VaultError::ForbiddenRemainingAccount)?;
            let Some(token) = any_token(account) else { continue };
            require(!same_rarely(&token.owner, vault), VaultError::ForbiddenRemainingAccount)?;
            let is_passed_through = same_rarely(given, address(TRADE_INPUT)) || same_rarely(given, address(TRADE_OUTPUT));
            if same_rarely(&token.owner, trade_authority) && !is_passed_through {
                self.add(account, token.amount());
            }
        }
        Ok(())
    }

    /// There is room for the two trade accounts and as many as a route may have.
    #[inline(never)]
    fn add(&mut self, account: &AccountView, amount: u64) {
        let Some(token) = any_token(account) else { return };
        let before = Before { account: *account, state: token.state, amount, spare_lamports: spare_lamports(account, token) };
        // SAFETY: the scratch memory is ours alone.
        if let Some(room) = unsafe { (*scratch::get()).watched.get_mut(self.count) } {
            room.write(before);
            self.count += 1;
        }
    }

    /// Everything still belongs to the trade authority alone, and nothing but the two trade accounts holds less.
    #[inline(never)]
    pub fn verify(&self, context: &Context) -> Checked {
        let authority = context.at(TRADE_AUTHORITY);
        let is_authority_whole =
            authority.lamports() >= self.authority_lamports && is_of(authority, &SYSTEM_PROGRAM) && authority.is_data_empty();
        let is_whole = |before: &Before| {
            any_token(&before.account).is_some_and(|token| {
                token.is_untampered()
                    && token.state == before.state
                    && same(&token.owner, authority.address())
                    && token.amount() >= before.amount
                    && spare_lamports(&before.account, token) >= before.spare_lamports
            })
        };
        // SAFETY: the first `count` have been written.
        let mut noted = unsafe { (*scratch::get()).watched.iter().take(self.count).map(|before| before.assume_init_ref()) };
        require(is_authority_whole && noted.all(is_whole), VaultError::VaultAccountTampered)
    }
}

#[inline(never)]
fn any_token(account: &AccountView) -> Option<&Token> {
    token::account(account, &TOKEN_PROGRAM).or_else(|| token::account(account, &TOKEN_2022_PROGRAM))
}

#[inline(never)]
fn spare_lamports(account: &AccountView, token: &Token) -> u64 {
    account.lamports().saturating_sub(if token.is_native() { token.amount() } else { 0 })
}
