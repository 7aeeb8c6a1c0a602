//! bot_trade: one swap through an allowed router.
//!
//! The vault never signs for the router. Exactly `amount_in` moves to the trade authority's account, only the trade authority signs the
//! route, everything is swept back, and what arrived is measured on the vault's own account. Whatever a route does, at most `amount_in` of
//! one mint is at stake; what that may be in a trade and in a day, the policy says.

use super::burn_nonce::{not_in_slot_of_grant, use_nonce};
use crate::{
    accounts::{is_of, load_policy, load_vault, program, read_config, same, signer, Context},
    arguments::Reader,
    bounded::Bounded,
    constants::*,
    create::Derived,
    error::{Checked, VaultError, OTHER_PROGRAM, SEEDS, TOO_FEW_ACCOUNTS},
    events,
    route::{self, Route},
    runtime::{self, Call, Clock},
    state::{Config, Policy, Vault},
    token::{self, Token},
};
use pinocchio::{AccountView, Address};

const ACCOUNTS: usize = 15;
/// The two trade accounts and every account of a route.
const WATCHED_MAX: usize = ROUTE_ACCOUNTS_MAX + 2;
const STACK_HEIGHT_OF_A_TRANSACTION: u64 = 1;

/// The fixed accounts, where they stand.
#[derive(Clone, Copy)]
struct Accounts<'a>(&'a [AccountView; ACCOUNTS]);

macro_rules! roles {
    ($($name:ident = $place:literal;)*) => {
        impl<'a> Accounts<'a> {
            $(#[inline(always)]
            fn $name(self) -> &'a AccountView {
                &self.0[$place]
            })*
        }
    };
}

roles! {
    bot = 0;
    vault = 1;
    policy = 2;
    config = 3;
    trade_authority = 4;
    vault_input = 5;
    vault_output = 6;
    trade_input = 7;
    trade_output = 8;
    input_mint = 9;
    output_mint = 10;
    token_program = 11;
    router = 12;
    event_authority = 13;
    program = 14;
}

/// Which of our accounts must stand where among the router's: slot in `route_v2`, slot in the shared route, our account.
static PINNED: [(u8, u8, u8); 8] = [(0, 1, 4), (1, 2, 7), (2, 5, 8), (3, 6, 9), (4, 7, 10), (5, 8, 11), (6, 9, 11), (9, 11, 12)];
/// The slot of `route_v2` for another destination.
const OTHER_DESTINATION: usize = 7;

/// Which way the base mint goes, and the position slot that the trade is booked in.
#[derive(Clone, Copy)]
enum Leg {
    Buy(usize),
    Sale(Option<usize>),
}

#[inline(never)]
pub fn bot_trade(context: &Context, data: &[u8]) -> Checked {
    if runtime::stack_height() != STACK_HEIGHT_OF_A_TRANSACTION {
        return Err(VaultError::CalledByProgram.into());
    }
    let mut reader = Reader::new(data);
    let (amount_in, minimum_amount_out) = (reader.u64(), reader.u64());
    let (route_data, guard) = (reader.bytes(), reader.guard());
    reader.end()?;
    let accounts = Accounts(context.take(&[2, 5, 6, 7, 8])?);
    signer(accounts.bot())?;
    let route_accounts = context.rest(ACCOUNTS);
    let clock = Clock::get();
    let now = clock.unix_timestamp;
    let vault = load_vault(accounts.vault(), context.program)?;
    is_bot(vault, accounts.bot())?;
    let policy = load_policy(accounts.policy(), accounts.vault(), context.program)?;
    let config = read_config(accounts.config(), context.program)?;
    policy.apply_matured(now);
    may_trade(policy, config, now)?;
    not_in_slot_of_grant(policy, clock.slot)?;
    use_nonce(policy, &guard, clock.slot)?;

    if amount_in == 0 {
        return Err(VaultError::InvalidAmount.into());
    }
    if minimum_amount_out == 0 {
        return Err(VaultError::ZeroMinimumOut.into());
    }
    check_programs(accounts, context.program, policy, config.routers_at(now))?;
    check_mints(accounts, policy)?;
    check_token_accounts(accounts)?;
    check_route_accounts(accounts, route::parse(route_data, amount_in)?, route_accounts)?;
    let mut watched = Watched::none();
    watched.note(accounts, vault, route_accounts)?;

    policy.advance_window(now);
    let is_buy = same(accounts.input_mint().address(), &policy.base_mint);
    let leg = if is_buy {
        policy.charge_spend(amount_in, vault.total_deposited())?;
        Leg::Buy(policy.slot_for_buy(accounts.output_mint().address(), now)?)
    } else {
        Leg::Sale(policy.slot_for_sale(accounts.input_mint().address(), now)?)
    };
    let swap = Swap { accounts, route_accounts, route_data, watched: &watched, amount_in, minimum_amount_out };
    let mut measured = Measured { amount_in: 0, amount_out: 0 };
    swap.execute(vault, policy, &mut measured)?;
    let Measured { amount_in, amount_out } = measured;
    book(policy, leg, amount_in, amount_out, vault.total_deposited())?;
    events::TradeExecuted {
        vault: accounts.vault().address(),
        bot_authority: accounts.bot().address(),
        input_mint: accounts.input_mint().address(),
        output_mint: accounts.output_mint().address(),
        amount_in,
        amount_out,
        minimum_amount_out,
        timestamp: now,
    }
    .emit(context.program, accounts.event_authority());
    Ok(())
}

/// The part of a trade in which tokens move.
struct Swap<'a> {
    accounts: Accounts<'a>,
    route_accounts: &'a [AccountView],
    route_data: &'a [u8],
    watched: &'a Watched,
    amount_in: u64,
    minimum_amount_out: u64,
}

/// What left the vault and what arrived, by the vault's own accounts.
struct Measured {
    amount_in: u64,
    amount_out: u64,
}

impl Swap<'_> {
    #[inline(never)]
    fn execute(&self, vault: &Vault, policy: &Policy, measured: &mut Measured) -> Result<(), VaultError> {
        let accounts = self.accounts;
        let vault_signer = Derived { bump: vault.bump(), ..Derived::of(VAULT_SEED, vault.owner()) };
        let trade_signer = Derived { bump: policy.trade_authority_bump, ..Derived::of(TRADE_SEED, accounts.vault().address()) };

        // A stranger's dust must neither block a trade nor count as its output.
        self.sweep_input(&trade_signer);
        self.sweep_output(&trade_signer);
        if token::balance(accounts.vault_input()) < self.amount_in {
            return Err(VaultError::InsufficientVaultBalance);
        }
        let output_before = token::balance(accounts.vault_output());
        let (from, to) = (accounts.vault_input(), accounts.trade_input());
        token::transfer(from, to, accounts.vault(), self.amount_in, Some(&vault_signer));
        // Whoever signed our transaction does not sign this call: only the trade authority does.
        let router = Call::new(accounts.router().address(), self.route_data, &[]);
        Call { extra: self.route_accounts, extra_signer: accounts.trade_authority().address(), ..router }.send(Some(&trade_signer));
        self.watched.verify(accounts.trade_authority())?;
        let returned = self.sweep_input(&trade_signer);
        self.sweep_output(&trade_signer);
        if token::balance(accounts.trade_input()) | token::balance(accounts.trade_output()) != 0 {
            return Err(VaultError::VaultAccountTampered);
        }
        measured.amount_in = self.amount_in.saturating_sub(returned);
        measured.amount_out = token::balance(accounts.vault_output()).checked_sub(output_before).ok_or(VaultError::MathOverflow)?;
        if measured.amount_out < self.minimum_amount_out {
            return Err(VaultError::SlippageExceeded);
        }
        Ok(())
    }

    fn sweep_input(&self, signer: &Derived) -> u64 {
        token::transfer_all(self.accounts.trade_input(), self.accounts.vault_input(), self.accounts.trade_authority(), signer)
    }

    fn sweep_output(&self, signer: &Derived) -> u64 {
        token::transfer_all(self.accounts.trade_output(), self.accounts.vault_output(), self.accounts.trade_authority(), signer)
    }
}

fn is_bot(vault: &Vault, signer: &AccountView) -> Result<(), VaultError> {
    if !vault.is_active() {
        return Err(VaultError::VaultInactive);
    }
    match vault.bot() {
        None => Err(VaultError::BotAuthorityNotSet),
        Some(bot) if !same(bot, signer.address()) => Err(VaultError::BotAuthorityMismatch),
        Some(_) => Ok(()),
    }
}

fn may_trade(policy: &Policy, config: &Config, now: i64) -> Result<(), VaultError> {
    if policy.paused != 0 {
        return Err(VaultError::VaultPaused);
    }
    if config.paused != 0 {
        return Err(VaultError::ProgramPaused);
    }
    if now.max(0) as u64 >= policy.bot_expires_at.get() {
        return Err(VaultError::BotExpired);
    }
    Ok(())
}

#[inline(never)]
fn check_programs(accounts: Accounts, own: &Address, policy: &Policy, routers: u8) -> Checked {
    if !same(accounts.trade_authority().address(), &policy.trade_authority) {
        return Err(SEEDS);
    }
    let token_program = accounts.token_program().address();
    if !same(token_program, &TOKEN_PROGRAM) {
        return Err(if same(token_program, &TOKEN_2022_PROGRAM) { VaultError::UnsupportedTokenProgram.into() } else { OTHER_PROGRAM });
    }
    let entry = ROUTERS.iter().position(|router| same(router, accounts.router().address()));
    if entry.is_none_or(|entry| routers >> entry & 1 == 0) {
        return Err(VaultError::RouterNotAllowed.into());
    }
    if !same(accounts.event_authority().address(), &EVENT_AUTHORITY) {
        return Err(SEEDS);
    }
    program(accounts.program(), own)
}

#[inline(never)]
fn check_mints(accounts: Accounts, policy: &Policy) -> Result<(), VaultError> {
    let (input, output) = (accounts.input_mint(), accounts.output_mint());
    if same(input.address(), output.address()) {
        return Err(VaultError::SameMint);
    }
    if is_of(input, &TOKEN_2022_PROGRAM) || is_of(output, &TOKEN_2022_PROGRAM) {
        return Err(VaultError::UnsupportedTokenProgram);
    }
    if !same(input.address(), &policy.base_mint) && !same(output.address(), &policy.base_mint) {
        return Err(VaultError::BaseLegRequired);
    }
    Ok(())
}

#[inline(never)]
fn check_token_accounts(accounts: Accounts) -> Checked {
    let (vault, trade) = (accounts.vault().address(), accounts.trade_authority().address());
    let (input, output) = (accounts.input_mint().address(), accounts.output_mint().address());
    token::check_untampered(accounts.vault_input(), input, vault)?;
    token::check_untampered(accounts.vault_output(), output, vault)?;
    token::check_untampered(accounts.trade_input(), input, trade)?;
    token::check_untampered(accounts.trade_output(), output, trade)
}

/// Each account whose place in the route is known must stand there; so the route can name no other source, destination or authority.
#[inline(never)]
fn check_route_accounts(accounts: Accounts, route: Route, given: &[AccountView]) -> Checked {
    if given.len() < route.fixed_accounts() {
        return Err(TOO_FEW_ACCOUNTS);
    }
    let stands_at = |slot: usize, expected: &AccountView| given.get(slot).is_some_and(|found| same(found.address(), expected.address()));
    let mut are_in_place = true;
    for (own, shared, ours) in &PINNED {
        let slot = if route == Route::Own { *own } else { *shared };
        are_in_place &= accounts.0.get(usize::from(*ours)).is_some_and(|expected| stands_at(slot.into(), expected));
    }
    if route == Route::Own {
        // The optional destination: none, which the router's own id says, or the same account once more.
        are_in_place &= stands_at(OTHER_DESTINATION, accounts.router()) || stands_at(OTHER_DESTINATION, accounts.trade_output());
    }
    if are_in_place {
        Ok(())
    } else {
        Err(VaultError::RouteDataMalformed.into())
    }
}

/// A token account of the trade authority as it was before the route.
struct Before {
    account: AccountView,
    state: u8,
    /// What it must still hold; nothing for the two accounts that the trade passes through.
    amount: u64,
    /// Lamports that are not wrapped tokens.
    spare_lamports: u64,
}

/// Everything of the trade authority that the route can reach.
struct Watched {
    authority_lamports: u64,
    accounts: Bounded<Before, WATCHED_MAX>,
}

impl Watched {
    fn none() -> Self {
        Self { authority_lamports: 0, accounts: Bounded::new() }
    }

    /// Refuses what must never be handed to a router, and notes what must come back as it was.
    #[inline(never)]
    fn note(&mut self, accounts: Accounts, vault: &Vault, route: &[AccountView]) -> Result<(), VaultError> {
        if route.len() > ROUTE_ACCOUNTS_MAX {
            return Err(VaultError::ForbiddenRemainingAccount);
        }
        self.authority_lamports = accounts.trade_authority().lamports();
        self.add(accounts.trade_input(), 0)?;
        self.add(accounts.trade_output(), 0)?;
        for account in route {
            let address = account.address();
            let is_person = same(address, accounts.bot().address()) || same(address, vault.owner());
            if is_person || is_of(account, accounts.program().address()) {
                return Err(VaultError::ForbiddenRemainingAccount);
            }
            let Some(token) = any_token(account) else { continue };
            if same(&token.owner, accounts.vault().address()) {
                return Err(VaultError::ForbiddenRemainingAccount);
            }
            let is_passed_through = same(address, accounts.trade_input().address()) || same(address, accounts.trade_output().address());
            if same(&token.owner, accounts.trade_authority().address()) && !is_passed_through {
                self.add(account, token.amount())?;
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn add(&mut self, account: &AccountView, amount: u64) -> Result<(), VaultError> {
        let token = any_token(account).ok_or(VaultError::InvalidTokenAccount)?;
        let before = Before { account: *account, state: token.state, amount, spare_lamports: spare_lamports(account, token) };
        if self.accounts.push(before) {
            Ok(())
        } else {
            Err(VaultError::ForbiddenRemainingAccount)
        }
    }

    /// Everything still belongs to the trade authority alone, and nothing but the two trade accounts holds less.
    #[inline(never)]
    fn verify(&self, authority: &AccountView) -> Result<(), VaultError> {
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
        if is_authority_whole && self.accounts.as_slice().iter().all(is_whole) {
            Ok(())
        } else {
            Err(VaultError::VaultAccountTampered)
        }
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

/// Books what happened: a buy adds units at cost, a sale below cost is charged to the day's losses.
fn book(policy: &mut Policy, leg: Leg, amount_in: u64, amount_out: u64, total_deposited: u64) -> Result<(), VaultError> {
    match leg {
        Leg::Buy(index) => policy.slot_mut(index)?.add(amount_out, amount_in),
        Leg::Sale(None) => Ok(()),
        Leg::Sale(Some(index)) => {
            let basis = policy.loss_basis(total_deposited);
            let cost = policy.slot_mut(index)?.sell(amount_in)?;
            policy.charge_loss(cost.saturating_sub(amount_out), basis)
        }
    }
}
