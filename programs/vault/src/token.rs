//! Token accounts and mints as bytes, and calls to a token program. Classic and Token-2022 share the first 165 and 82 bytes.

use crate::{
    accounts::{is_of, same, Context},
    constants::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
    create::Derived,
    error::{require, Checked, VaultError, OTHER_PROGRAM},
    runtime::{Call, Place, Places, SIGNER, WRITABLE},
};
use pinocchio::{AccountView, Address};

const ACCOUNT_BYTES: usize = 165;
const MINT_BYTES: usize = 82;
const MULTISIG_BYTES: usize = 355;
const KIND_OFFSET: usize = 165;
const KIND_MINT: u8 = 1;
const KIND_ACCOUNT: u8 = 2;
const INITIALIZED: u8 = 1;
const NONE: [u8; 4] = [0; 4];

/// Closes an empty account.
pub const CLOSE_ACCOUNT: u8 = 9;
/// Takes a delegate's right away.
pub const REVOKE: u8 = 5;
const TRANSFER: u8 = 3;
const TRANSFER_CHECKED: u8 = 12;

/// A token account as it is laid out, up to what an extension could add.
#[repr(C)]
pub struct Token {
    pub mint: Address,
    pub owner: Address,
    amount: [u8; 8],
    delegate_tag: [u8; 4],
    delegate: Address,
    pub state: u8,
    native_tag: [u8; 4],
    native_reserve: [u8; 8],
    delegated_amount: [u8; 8],
    close_authority_tag: [u8; 4],
    close_authority: Address,
}

const _: () = assert!(size_of::<Token>() == ACCOUNT_BYTES && align_of::<Token>() == 1);

impl Token {
    pub fn amount(&self) -> u64 {
        u64::from_le_bytes(self.amount)
    }

    pub fn is_native(&self) -> bool {
        self.native_tag != NONE
    }

    pub fn has_delegate(&self) -> bool {
        self.delegate_tag != NONE
    }

    /// Nobody but the owner can move or close it.
    pub fn is_untampered(&self) -> bool {
        !self.has_delegate() && self.close_authority_tag == NONE
    }
}

/// Whether these are an account's bytes without extensions, or with. A multisig is longer too, and its bytes are whatever its maker chose.
#[inline(never)]
fn is_kind(data: &[u8], bytes: usize, kind: u8) -> bool {
    data.len() == bytes || data.len() != MULTISIG_BYTES && data.get(KIND_OFFSET) == Some(&kind)
}

/// The token account, when it is one of `token_program` and initialized. The reference is to live data: read it anew after a call.
#[inline(never)]
pub fn account<'a>(account: &'a AccountView, token_program: &Address) -> Option<&'a Token> {
    if !is_of(account, token_program) {
        return None;
    }
    // SAFETY: this program never borrows a token account mutably.
    let data = unsafe { account.borrow_unchecked() };
    if !is_kind(data, ACCOUNT_BYTES, KIND_ACCOUNT) {
        return None;
    }
    // SAFETY: at least 165 bytes, and every field is bytes.
    let token = unsafe { &*data.as_ptr().cast::<Token>() };
    (token.state != 0).then_some(token)
}

/// A token account and what it must be, by their places: account, mint, owner, token program. Packed, so that naming it is one number.
#[derive(Clone, Copy)]
pub struct Held(u32);

impl Held {
    pub const fn of(account: Place, mint: Place, owner: Place, token_program: Place) -> Self {
        Self(u32::from_le_bytes([account, mint, owner, token_program]))
    }
}

#[inline(never)]
fn find_held<'a>(context: &Context<'a>, held: Held) -> Option<&'a Token> {
    let at = |byte: u32| context.at(usize::from((held.0 >> (8 * byte)) as u8));
    account(at(0), at(3).address()).filter(|token| same(&token.mint, at(1).address()) && same(&token.owner, at(2).address()))
}

/// A token account of that mint and owner, or InvalidTokenAccount.
#[inline(always)]
pub fn held<'a>(context: &Context<'a>, held: Held) -> Checked<&'a Token> {
    find_held(context, held).ok_or(VaultError::InvalidTokenAccount.into())
}

/// As `held`, and with nobody else who could move or close it.
#[inline(never)]
pub fn held_untampered(context: &Context, account: Held) -> Checked {
    require(held(context, account)?.is_untampered(), VaultError::VaultAccountTampered)
}

/// Decimals of a mint of this token program, or InvalidMint.
#[inline(always)]
pub fn mint_decimals(view: &AccountView, token_program: &Address) -> Checked<u8> {
    decimals(view, token_program).copied().ok_or(VaultError::InvalidMint.into())
}

#[inline(never)]
fn decimals<'a>(view: &'a AccountView, token_program: &Address) -> Option<&'a u8> {
    // SAFETY: this program never borrows a mint mutably.
    let data = unsafe { view.borrow_unchecked() };
    let is_mint = is_of(view, token_program) && is_kind(data, MINT_BYTES, KIND_MINT);
    let is_initialized = data.get(45) == Some(&INITIALIZED);
    data.get(44).filter(|_| is_mint && is_initialized)
}

/// Classic or Token-2022.
#[inline(never)]
pub fn any_program(account: &AccountView) -> Checked {
    require(same(account.address(), &TOKEN_PROGRAM) || same(account.address(), &TOKEN_2022_PROGRAM), OTHER_PROGRAM)
}

/// A transfer of the classic program between accounts that have been checked to be of one mint: from, to, authority.
#[inline(never)]
pub fn transfer(context: &Context, places: Places, amount: u64, signer: Option<&Derived>) {
    let mut data = [0u8; 9];
    data[0] = TRANSFER;
    data[1..].copy_from_slice(&amount.to_le_bytes());
    Call::new(&TOKEN_PROGRAM, &data, places).send(context, signer);
}

/// Moves all there is. Returns how much that was.
#[inline(never)]
pub fn transfer_all(context: &Context, places: Places, signer: &Derived) -> u64 {
    let amount = balance(context.at(places.first()));
    if amount > 0 {
        transfer(context, places, amount, Some(signer));
    }
    amount
}

/// What a classic token account holds; 0 when it is none, which the callers have excluded.
#[inline(never)]
pub fn balance(view: &AccountView) -> u64 {
    account(view, &TOKEN_PROGRAM).map_or(0, Token::amount)
}

// withdraw and recover_trade_account: their fourth to seventh account are from, to, mint and token program in both.
pub const FROM: Place = 3;
pub const TO: Place = 4;
const MINT: Place = 5;
pub const PROGRAM: Place = 6;

/// Either token program, a mint of it, and two of its accounts.
#[inline(never)]
pub fn check_move(context: &Context, from: Held, to: Held) -> Checked {
    any_program(context.at(PROGRAM.into()))?;
    mint_decimals(context.at(MINT.into()), context.at(PROGRAM.into()).address())?;
    held(context, from)?;
    held(context, to)?;
    Ok(())
}

/// The account that tokens leave, as it is now. None only when it is no token account, which `check_move` has excluded.
#[inline(always)]
pub fn source<'a>(context: &Context<'a>) -> Option<&'a Token> {
    account(context.at(FROM.into()), context.at(PROGRAM.into()).address())
}

/// The only transfer that mints with a fee or a hook accept; what a hook needs follows, never as signers.
#[inline(never)]
pub fn send_move(context: &Context, authority: Place, amount: u64, signer: &Derived) {
    let program = context.at(PROGRAM.into()).address();
    let mut data = [0u8; 10];
    data[0] = TRANSFER_CHECKED;
    data[1..9].copy_from_slice(&amount.to_le_bytes());
    data[9] = decimals(context.at(MINT.into()), program).copied().unwrap_or_default();
    let places = Places::of([FROM | WRITABLE, MINT, TO | WRITABLE, authority | SIGNER]);
    Call { has_rest: true, ..Call::new(program, &data, places) }.send(context, Some(signer));
}

/// An instruction on one token account that is its number and nothing more.
#[inline(always)]
pub fn command(context: &Context, token_program: Place, number: u8, places: Places, signer: &Derived) {
    Call::new(context.at(token_program.into()).address(), &[number], places).send(context, Some(signer));
}
