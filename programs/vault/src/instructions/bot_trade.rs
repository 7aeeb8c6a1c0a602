//! bot_trade: one swap through an allowed router.
//!
//! The vault never signs for the router. Exactly `amount_in` moves to the trade authority's account, only the trade authority signs the
//! route, everything is swept back, and what arrived is measured on the vault's own account. Whatever a route does, at most `amount_in` of
//! one mint is at stake; what that may be in a trade and in a day, the policy says.

use super::burn_nonce::{not_in_slot_of_grant, use_nonce};
use crate::{
    accounts::{is_of, same, Context, Unchecked},
    arguments::Reader,
    constants::*,
    create::Derived,
    error::{require, Checked, Fault, VaultError, OTHER_PROGRAM, SEEDS, TOO_FEW_ACCOUNTS},
    events::Trade,
    route::{self, Route},
    runtime::{self, Call, Clock, Places, SIGNER, WRITABLE},
    state::{Config, Policy, Vault},
    token::{self, Held},
    watch::Watched,
};
use pinocchio::{AccountView, Address};

const STACK_HEIGHT_OF_A_TRANSACTION: u64 = 1;

/// The fixed accounts, where they stand.
#[derive(Clone, Copy)]
struct Accounts<'a, 'b>(&'b Context<'a>);

macro_rules! roles {
    ($($name:ident = $place:literal;)*) => {
        impl<'a> Accounts<'a, '_> {
            $(#[inline(always)]
            fn $name(self) -> &'a Address {
                self.0.at($place).address()
            })*
        }
    };
}

roles! {
    bot = 0;
    vault = 1;
    trade_authority = 4;
    trade_output = 8;
    input_mint = 9;
    output_mint = 10;
    token_program = 11;
    router = 12;
    event_authority = 13;
    program = 14;
}

const VAULT_INPUT: u8 = 5;
const VAULT_OUTPUT: u8 = 6;
const TRADE_INPUT: u8 = 7;
const TRADE_OUTPUT: u8 = 8;
const FUND: Places = Places::of([VAULT_INPUT | WRITABLE, TRADE_INPUT | WRITABLE, 1 | SIGNER]);
const SWEEP_INPUT: Places = Places::of([TRADE_INPUT | WRITABLE, VAULT_INPUT | WRITABLE, 4 | SIGNER]);
const SWEEP_OUTPUT: Places = Places::of([TRADE_OUTPUT | WRITABLE, VAULT_OUTPUT | WRITABLE, 4 | SIGNER]);

/// Which of our accounts must stand where among the router's: slot in `route_v2`, slot in the shared route, our account.
static PINNED: [(u8, u8, u8); 8] = [(0, 1, 4), (1, 2, 7), (2, 5, 8), (3, 6, 9), (4, 7, 10), (5, 8, 11), (6, 9, 11), (9, 11, 12)];
/// The slot of `route_v2` for another destination.
const OTHER_DESTINATION: usize = 7;

#[inline(never)]
pub fn bot_trade(unchecked: &Unchecked, arguments: &mut Reader) -> Checked {
    require(runtime::stack_height() == STACK_HEIGHT_OF_A_TRANSACTION, VaultError::CalledByProgram)?;
    let (amount_in, minimum_amount_out) = (arguments.u64(), arguments.u64());
    let (route_data, guard) = (arguments.bytes(), arguments.guard());
    arguments.end()?;
    let context = unchecked.check()?;
    let accounts = Accounts(context);
    let (vault, policy, config) = (context.vault(), context.policy(), context.config());
    let clock = Clock::get();
    let (slot, now) = (clock.slot(), clock.now());
    may_bot_trade(vault, accounts.bot())?;
    policy.apply_matured(now);
    may_trade(policy, config, now)?;
    not_in_slot_of_grant(policy, slot)?;
    use_nonce(policy, &guard, slot)?;

    require(amount_in != 0, VaultError::InvalidAmount)?;
    require(minimum_amount_out != 0, VaultError::ZeroMinimumOut)?;
    check_programs(accounts, context.program, policy, config.routers_at(now))?;
    check_mints(accounts, policy)?;
    check_token_accounts(context)?;
    let mut route = Route::Own;
    route::check(route_data, amount_in, &mut route)?;
    check_route_accounts(accounts, route, context.rest())?;
    let mut watched = Watched::none();
    watched.note(context, vault.owner())?;

    policy.advance_window(now);
    let is_buy = same(accounts.input_mint(), &policy.base_mint);
    let mint = if is_buy { accounts.output_mint() } else { accounts.input_mint() };
    if is_buy {
        policy.charge_spend(amount_in, vault.total_deposited())?;
    }
    policy.check_mint(mint, now, is_buy)?;
    let mut trade = Trade { amount_in, amount_out: 0, minimum_amount_out, timestamp: now };
    let bumps = (vault.bump(), policy.trade_authority_bump);
    swap(context, Swap { route_data, watched: &watched, owner: vault.owner(), bumps }, &mut trade)?;
    policy.book(mint, is_buy, trade.amount_in, trade.amount_out, vault.total_deposited())?;
    trade.emit(context);
    Ok(())
}

/// The part of a trade in which tokens move.
struct Swap<'a> {
    route_data: &'a [u8],
    watched: &'a Watched,
    owner: &'a Address,
    /// Of vault and trade authority.
    bumps: (u8, u8),
}

/// Leaves in `trade` what left the vault and what arrived, by the vault's own accounts.
#[inline(never)]
fn swap(context: &Context, swap: Swap, trade: &mut Trade) -> Checked {
    let accounts = Accounts(context);
    let of_vault = Derived { bump: swap.bumps.0, ..Derived::of(&VAULT_SEED, swap.owner) };
    let of_trade = Derived { bump: swap.bumps.1, ..Derived::of(&TRADE_SEED, accounts.vault()) };
    let balance = |place: u8| token::balance(context.at(place.into()));

    // A stranger's dust must neither block a trade nor count as its output.
    token::transfer_all(context, SWEEP_INPUT, &of_trade);
    token::transfer_all(context, SWEEP_OUTPUT, &of_trade);
    require(balance(VAULT_INPUT) >= trade.amount_in, VaultError::InsufficientVaultBalance)?;
    let before = balance(VAULT_OUTPUT);
    token::transfer(context, FUND, trade.amount_in, Some(&of_vault));
    // Whoever signed our transaction does not sign this call: only the trade authority does.
    let router = Call::new(accounts.router(), swap.route_data, Places::of([]));
    Call { has_rest: true, rest_signer: Some(accounts.trade_authority()), ..router }.send(context, Some(&of_trade));
    swap.watched.verify(context)?;
    let returned = token::transfer_all(context, SWEEP_INPUT, &of_trade);
    token::transfer_all(context, SWEEP_OUTPUT, &of_trade);
    require(balance(TRADE_INPUT) | balance(TRADE_OUTPUT) == 0, VaultError::VaultAccountTampered)?;
    trade.amount_in = trade.amount_in.saturating_sub(returned);
    trade.amount_out = balance(VAULT_OUTPUT).saturating_sub(before);
    require(trade.amount_out >= trade.minimum_amount_out, VaultError::SlippageExceeded)
}

fn may_bot_trade(vault: &Vault, signer: &Address) -> Checked {
    require(vault.is_active(), VaultError::VaultInactive)?;
    let bot = vault.bot().ok_or(Fault::from(VaultError::BotAuthorityNotSet))?;
    require(same(bot, signer), VaultError::BotAuthorityMismatch)
}

fn may_trade(policy: &Policy, config: &Config, now: i64) -> Checked {
    require(policy.paused == 0, VaultError::VaultPaused)?;
    require(config.paused == 0, VaultError::ProgramPaused)?;
    require((now.max(0) as u64) < policy.bot_expires_at.get(), VaultError::BotExpired)
}

#[inline(never)]
fn check_programs(accounts: Accounts, own: &Address, policy: &Policy, routers: u8) -> Checked {
    require(same(accounts.trade_authority(), &policy.trade_authority), SEEDS)?;
    let token_program = accounts.token_program();
    if !same(token_program, &TOKEN_PROGRAM) {
        return Err(if same(token_program, &TOKEN_2022_PROGRAM) { VaultError::UnsupportedTokenProgram.into() } else { OTHER_PROGRAM });
    }
    let entry = ROUTERS.iter().position(|router| same(router, accounts.router()));
    require(entry.is_some_and(|entry| routers >> entry & 1 != 0), VaultError::RouterNotAllowed)?;
    require(same(accounts.event_authority(), &EVENT_AUTHORITY), SEEDS)?;
    require(same(accounts.program(), own), OTHER_PROGRAM)
}

#[inline(never)]
fn check_mints(accounts: Accounts, policy: &Policy) -> Checked {
    let (input, output) = (accounts.input_mint(), accounts.output_mint());
    require(!same(input, output), VaultError::SameMint)?;
    let is_2022 = |place: usize| is_of(accounts.0.at(place), &TOKEN_2022_PROGRAM);
    require(!is_2022(9) && !is_2022(10), VaultError::UnsupportedTokenProgram)?;
    require(same(input, &policy.base_mint) || same(output, &policy.base_mint), VaultError::BaseLegRequired)
}

fn check_token_accounts(context: &Context) -> Checked {
    token::held_untampered(context, Held::of(VAULT_INPUT, 9, 1, 11))?;
    token::held_untampered(context, Held::of(VAULT_OUTPUT, 10, 1, 11))?;
    token::held_untampered(context, Held::of(TRADE_INPUT, 9, 4, 11))?;
    token::held_untampered(context, Held::of(TRADE_OUTPUT, 10, 4, 11))
}

/// Each account whose place in the route is known must stand there; so the route can name no other source, destination or authority.
#[inline(never)]
fn check_route_accounts(accounts: Accounts, route: Route, given: &[AccountView]) -> Checked {
    require(given.len() >= route.fixed_accounts(), TOO_FEW_ACCOUNTS)?;
    let stands_at = |slot: usize, expected: &Address| given.get(slot).is_some_and(|found| same(found.address(), expected));
    let mut are_in_place = true;
    for (own, shared, ours) in &PINNED {
        let slot = if route == Route::Own { *own } else { *shared };
        are_in_place &= stands_at(slot.into(), accounts.0.at(usize::from(*ours)).address());
    }
    if route == Route::Own {
        // The optional destination: none, which the router's own id says, or the same account once more.
        are_in_place &= stands_at(OTHER_DESTINATION, accounts.router()) || stands_at(OTHER_DESTINATION, accounts.trade_output());
    }
    require(are_in_place, VaultError::RouteDataMalformed)
}
