//! bot_trade: one swap through an allowed router.
//!
//! The vault never signs for the router. Exactly `amount_in` moves to the trade authority's account, only the trade authority signs the
//! route, everything is swept back, and what arrived is measured on the vault's own account. Whatever a route does, at most `amount_in` of
//! one mint is at stake; what that may be in a trade and in a day, the policy says.

use super::burn_nonce::{not_in_slot_of_grant, use_nonce};
use crate::{
    accounts::{load_policy, load_vault, program, read_config, same, signer, writable, Context},
    arguments::{Guard, Reader},
    bounded::Bounded,
    constants::*,
    error::{Checked, VaultError, OTHER_PROGRAM, SEEDS, TOO_FEW_ACCOUNTS},
    events,
    route::{self, Route},
    runtime::{self, Call, Clock},
    state::{Config, Policy, Vault},
    token::{self, Movement, Token},
};
use pinocchio::{
    cpi::{Seed, Signer},
    AccountView, Address,
};

const ACCOUNTS: usize = 15;
/// The two trade accounts and every account of a route.
const WATCHED_MAX: usize = ROUTE_ACCOUNTS_MAX + 2;
const STACK_HEIGHT_OF_A_TRANSACTION: u64 = 1;

struct Arguments<'a> {
    amount_in: u64,
    minimum_amount_out: u64,
    route_data: &'a [u8],
    guard: Guard,
}

impl<'a> Arguments<'a> {
    fn read(data: &'a [u8]) -> Checked<Self> {
        let mut reader = Reader::new(data);
        let (amount_in, minimum_amount_out) = (reader.u64(), reader.u64());
        let (route_data, guard) = (reader.bytes(), reader.guard());
        reader.end()?;
        Ok(Self { amount_in, minimum_amount_out, route_data, guard })
    }
}

struct Accounts {
    bot: AccountView,
    vault: AccountView,
    policy: AccountView,
    config: AccountView,
    trade_authority: AccountView,
    vault_input: AccountView,
    vault_output: AccountView,
    trade_input: AccountView,
    trade_output: AccountView,
    input_mint: AccountView,
    output_mint: AccountView,
    token_program: AccountView,
    router: AccountView,
    event_authority: AccountView,
    program: AccountView,
}

impl Accounts {
    #[inline(always)]
    fn parse(context: &Context) -> Checked<Self> {
        let [bot, vault, policy, config, trade_authority, vault_input, vault_output, trade_input, trade_output, input_mint, output_mint, token_program, router, event_authority, program] =
            context.take::<ACCOUNTS>()?;
        signer(&bot)?;
        writable([&policy, &vault_input, &vault_output, &trade_input, &trade_output])?;
        Ok(Self {
            bot,
            vault,
            policy,
            config,
            trade_authority,
            vault_input,
            vault_output,
            trade_input,
            trade_output,
            input_mint,
            output_mint,
            token_program,
            router,
            event_authority,
            program,
        })
    }
}

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
    let arguments = Arguments::read(data)?;
    let accounts = Accounts::parse(context)?;
    let route_accounts = context.rest(ACCOUNTS);
    let clock = Clock::get();
    let now = clock.unix_timestamp;
    let vault = load_vault(&accounts.vault, context.program)?;
    is_bot(&vault, &accounts.bot)?;
    // The policy is never handed to another program, so this borrow sees every change there is.
    let mut policy_account = accounts.policy;
    let policy = load_policy(&mut policy_account, &accounts.vault, context.program)?;
    let config = read_config(&accounts.config, context.program)?;
    policy.apply_matured(now);
    may_trade(policy, config, now)?;
    not_in_slot_of_grant(policy, clock.slot)?;
    use_nonce(policy, &arguments.guard, clock.slot)?;

    check_amounts(&arguments)?;
    check_programs(&accounts, context.program, policy, config.routers_at(now))?;
    let is_buy = check_mints(&accounts, policy)?;
    check_token_accounts(&accounts)?;
    let route = route::parse(arguments.route_data, arguments.amount_in)?;
    check_route_accounts(&accounts, route, route_accounts)?;
    let watched = watch(&accounts, &vault, route_accounts)?;

    policy.advance_window(now);
    let leg = if is_buy {
        policy.charge_spend(arguments.amount_in, vault.total_deposited)?;
        Leg::Buy(policy.slot_for_buy(accounts.output_mint.address(), now)?)
    } else {
        Leg::Sale(policy.slot_for_sale(accounts.input_mint.address(), now)?)
    };
    let (vault_bump, trade_bump) = ([vault.bump], [policy.trade_authority_bump]);
    let vault_seeds = [Seed::from(VAULT_SEED), Seed::from(vault.owner.as_ref()), Seed::from(&vault_bump)];
    let vault_signer = [Signer::from(&vault_seeds)];
    let trade_seeds = [Seed::from(TRADE_SEED), Seed::from(accounts.vault.address().as_ref()), Seed::from(&trade_bump)];
    let trade_signer = [Signer::from(&trade_seeds)];

    let input_back = Movement { from: &accounts.trade_input, to: &accounts.vault_input, authority: &accounts.trade_authority };
    let output_back = Movement { from: &accounts.trade_output, to: &accounts.vault_output, authority: &accounts.trade_authority };
    let input_out = Movement { from: &accounts.vault_input, to: &accounts.trade_input, authority: &accounts.vault };

    // A stranger's dust must neither block a trade nor count as its output.
    input_back.of_all(&trade_signer);
    output_back.of_all(&trade_signer);
    if token::balance(&accounts.vault_input) < arguments.amount_in {
        return Err(VaultError::InsufficientVaultBalance.into());
    }
    let output_before = token::balance(&accounts.vault_output);
    input_out.of(arguments.amount_in, &vault_signer);
    // Whoever signed our transaction does not sign this call: only the trade authority does.
    let router = Call::new(accounts.router.address(), arguments.route_data, &[]);
    Call { extra: route_accounts, extra_signer: accounts.trade_authority.address(), ..router }.send(&trade_signer);
    watched.verify(&accounts, route_accounts)?;
    let returned = input_back.of_all(&trade_signer);
    output_back.of_all(&trade_signer);
    if token::balance(&accounts.trade_input) != 0 || token::balance(&accounts.trade_output) != 0 {
        return Err(VaultError::VaultAccountTampered.into());
    }

    let amount_out = token::balance(&accounts.vault_output).checked_sub(output_before).ok_or(VaultError::MathOverflow)?;
    if amount_out < arguments.minimum_amount_out {
        return Err(VaultError::SlippageExceeded.into());
    }
    let amount_in = arguments.amount_in.saturating_sub(returned);
    book(policy, leg, amount_in, amount_out, vault.total_deposited)?;
    events::TradeExecuted {
        vault: accounts.vault.address(),
        bot_authority: accounts.bot.address(),
        input_mint: accounts.input_mint.address(),
        output_mint: accounts.output_mint.address(),
        amount_in,
        amount_out,
        minimum_amount_out: arguments.minimum_amount_out,
        timestamp: now,
    }
    .emit(context.program, &accounts.event_authority);
    Ok(())
}

fn is_bot(vault: &Vault, signer: &AccountView) -> Result<(), VaultError> {
    if !vault.is_active {
        return Err(VaultError::VaultInactive);
    }
    match &vault.bot_authority {
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

fn check_amounts(arguments: &Arguments) -> Result<(), VaultError> {
    if arguments.amount_in == 0 {
        return Err(VaultError::InvalidAmount);
    }
    if arguments.minimum_amount_out == 0 {
        return Err(VaultError::ZeroMinimumOut);
    }
    Ok(())
}

fn check_programs(accounts: &Accounts, own: &Address, policy: &Policy, routers: u8) -> Checked {
    if !same(accounts.trade_authority.address(), &policy.trade_authority) {
        return Err(SEEDS);
    }
    if !same(accounts.token_program.address(), &TOKEN_PROGRAM) {
        let is_token_2022 = same(accounts.token_program.address(), &TOKEN_2022_PROGRAM);
        return Err(if is_token_2022 { VaultError::UnsupportedTokenProgram.into() } else { OTHER_PROGRAM });
    }
    let entry = ROUTERS.iter().position(|router| same(router, accounts.router.address()));
    if entry.is_none_or(|entry| routers >> entry & 1 == 0) {
        return Err(VaultError::RouterNotAllowed.into());
    }
    if !same(accounts.event_authority.address(), &EVENT_AUTHORITY) {
        return Err(SEEDS);
    }
    program(&accounts.program, own)
}

/// True for a buy, false for a sale.
fn check_mints(accounts: &Accounts, policy: &Policy) -> Result<bool, VaultError> {
    let (input, output) = (&accounts.input_mint, &accounts.output_mint);
    if same(input.address(), output.address()) {
        return Err(VaultError::SameMint);
    }
    if input.owned_by(&TOKEN_2022_PROGRAM) || output.owned_by(&TOKEN_2022_PROGRAM) {
        return Err(VaultError::UnsupportedTokenProgram);
    }
    let is_buy = same(input.address(), &policy.base_mint);
    if !is_buy && !same(output.address(), &policy.base_mint) {
        return Err(VaultError::BaseLegRequired);
    }
    Ok(is_buy)
}

fn check_token_accounts(accounts: &Accounts) -> Checked {
    let (vault, trade) = (accounts.vault.address(), accounts.trade_authority.address());
    let (input, output) = (accounts.input_mint.address(), accounts.output_mint.address());
    token::untampered(&accounts.vault_input, &TOKEN_PROGRAM, input, vault)?;
    token::untampered(&accounts.vault_output, &TOKEN_PROGRAM, output, vault)?;
    token::untampered(&accounts.trade_input, &TOKEN_PROGRAM, input, trade)?;
    token::untampered(&accounts.trade_output, &TOKEN_PROGRAM, output, trade)?;
    Ok(())
}

/// Each account whose place in the route is known must stand there; so the route can name no other source, destination or authority.
fn check_route_accounts(accounts: &Accounts, route: Route, given: &[AccountView]) -> Checked {
    if given.len() < route.fixed_accounts() {
        return Err(TOO_FEW_ACCOUNTS);
    }
    let at = |slot: usize| given.get(slot).map(AccountView::address);
    let (authority, source, destination, input_mint, token_programs, router) = match route {
        Route::Own => (0, 1, 2, 3, 5, 9),
        Route::Shared => (1, 2, 5, 6, 8, 11),
    };
    let pinned = [
        (authority, accounts.trade_authority.address()),
        (source, accounts.trade_input.address()),
        (destination, accounts.trade_output.address()),
        (input_mint, accounts.input_mint.address()),
        (input_mint + 1, accounts.output_mint.address()),
        (token_programs, &TOKEN_PROGRAM),
        (token_programs + 1, &TOKEN_PROGRAM),
        (router, accounts.router.address()),
    ];
    let mut is_in_place = pinned.iter().all(|(slot, expected)| at(*slot).is_some_and(|found| same(found, expected)));
    if route == Route::Own {
        // The optional destination: none, which the router's own id says, or the same account once more.
        let allowed = [accounts.router.address(), accounts.trade_output.address()];
        is_in_place &= at(7).is_some_and(|found| allowed.iter().any(|address| same(found, address)));
    }
    if is_in_place {
        Ok(())
    } else {
        Err(VaultError::RouteDataMalformed.into())
    }
}

/// A token account of the trade authority as it was before the route.
struct Before {
    place: Place,
    state: u8,
    amount: u64,
    /// Lamports that are not wrapped tokens.
    spare_lamports: u64,
}

#[derive(Clone, Copy)]
enum Place {
    TradeInput,
    TradeOutput,
    Route(usize),
}

/// Everything of the trade authority that the route can reach.
struct Watched {
    authority_lamports: u64,
    accounts: Bounded<Before, WATCHED_MAX>,
}

/// Refuses what must never be handed to a router, and notes what must come back as it was.
#[inline(never)]
fn watch(accounts: &Accounts, vault: &Vault, route: &[AccountView]) -> Checked<Watched> {
    if route.len() > ROUTE_ACCOUNTS_MAX {
        return Err(VaultError::ForbiddenRemainingAccount.into());
    }
    let mut found = Bounded::new();
    let mut is_room = found.push(Before::of(Place::TradeInput, &accounts.trade_input, None)?);
    is_room &= found.push(Before::of(Place::TradeOutput, &accounts.trade_output, None)?);
    for (index, account) in route.iter().enumerate() {
        let address = account.address();
        let is_person = same(address, accounts.bot.address()) || same(address, &vault.owner);
        if is_person || account.owned_by(accounts.program.address()) {
            return Err(VaultError::ForbiddenRemainingAccount.into());
        }
        let Some(token) = any_token(account) else { continue };
        if same(&token.owner, accounts.vault.address()) {
            return Err(VaultError::ForbiddenRemainingAccount.into());
        }
        let is_passed_through = same(address, accounts.trade_input.address()) || same(address, accounts.trade_output.address());
        if same(&token.owner, accounts.trade_authority.address()) && !is_passed_through {
            is_room &= found.push(Before::of(Place::Route(index), account, Some(token))?);
        }
    }
    if !is_room {
        return Err(VaultError::ForbiddenRemainingAccount.into());
    }
    Ok(Watched { authority_lamports: accounts.trade_authority.lamports(), accounts: found })
}

impl Before {
    fn of(place: Place, account: &AccountView, token: Option<&Token>) -> Result<Self, VaultError> {
        let token = token.or_else(|| any_token(account)).ok_or(VaultError::InvalidTokenAccount)?;
        Ok(Self { place, state: token.state, amount: token.amount(), spare_lamports: spare_lamports(account, token) })
    }
}

impl Watched {
    /// Everything still belongs to the trade authority alone, and nothing but the two trade accounts holds less.
    #[inline(never)]
    fn verify(&self, accounts: &Accounts, route: &[AccountView]) -> Result<(), VaultError> {
        let authority = &accounts.trade_authority;
        let is_authority_whole =
            authority.lamports() >= self.authority_lamports && authority.owned_by(&SYSTEM_PROGRAM) && authority.is_data_empty();
        let is_whole = |before: &Before| {
            let (account, is_passed_through) = match before.place {
                Place::TradeInput => (Some(&accounts.trade_input), true),
                Place::TradeOutput => (Some(&accounts.trade_output), true),
                Place::Route(index) => (route.get(index), false),
            };
            account.and_then(|account| any_token(account).map(|token| (account, token))).is_some_and(|(account, token)| {
                token.is_untampered()
                    && token.state == before.state
                    && same(&token.owner, authority.address())
                    && (is_passed_through || token.amount() >= before.amount)
                    && spare_lamports(account, token) >= before.spare_lamports
            })
        };
        if is_authority_whole && self.accounts.as_slice().iter().all(is_whole) {
            Ok(())
        } else {
            Err(VaultError::VaultAccountTampered)
        }
    }
}

fn any_token(account: &AccountView) -> Option<&Token> {
    token::account(account, &TOKEN_PROGRAM).or_else(|| token::account(account, &TOKEN_2022_PROGRAM))
}

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
