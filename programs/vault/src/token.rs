//! Token accounts and mints as bytes, and calls to a token program. Classic and Token-2022 share the first 165 and 82 bytes.

use crate::{
    accounts::{is_of, same, Context},
    constants::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
    create::Derived,
    error::{Checked, VaultError, OTHER_PROGRAM},
    runtime::{Call, Party},
};
use pinocchio::{AccountView, Address};

const ACCOUNT_BYTES: usize = 165;
const MINT_BYTES: usize = 82;
const KIND_OFFSET: usize = 165;
const KIND_MINT: u8 = 1;
const KIND_ACCOUNT: u8 = 2;
const INITIALIZED: u8 = 1;
const NONE: [u8; 4] = [0; 4];

const CLOSE_ACCOUNT: u8 = 9;
const REVOKE: u8 = 5;
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

/// The token account, when it is one of `token_program` and initialized. The reference is to live data: read it anew after a call.
#[inline(never)]
pub fn account<'a>(account: &'a AccountView, token_program: &Address) -> Option<&'a Token> {
    if !is_of(account, token_program) {
        return None;
    }
    // SAFETY: this program never borrows a token account mutably.
    let data = unsafe { account.borrow_unchecked() };
    let is_account = data.len() == ACCOUNT_BYTES || data.get(KIND_OFFSET) == Some(&KIND_ACCOUNT);
    if !is_account {
        return None;
    }
    // SAFETY: at least 165 bytes, and every field is bytes.
    let token = unsafe { &*data.as_ptr().cast::<Token>() };
    (token.state != 0).then_some(token)
}

#[inline(never)]
fn account_owned<'a>(view: &'a AccountView, token_program: &Address, mint: &Address, owner: &Address) -> Option<&'a Token> {
    account(view, token_program).filter(|token| same(&token.mint, mint) && same(&token.owner, owner))
}

/// A token account of this mint that `owner` owns, or InvalidTokenAccount.
#[inline(always)]
pub fn account_of<'a>(view: &'a AccountView, token_program: &Address, mint: &Address, owner: &Address) -> Checked<&'a Token> {
    account_owned(view, token_program, mint, owner).ok_or(VaultError::InvalidTokenAccount.into())
}

/// As `account_of` for the classic program, and with nobody else who could move or close it.
#[inline(never)]
pub fn check_untampered(view: &AccountView, mint: &Address, owner: &Address) -> Checked {
    let token = account_of(view, &TOKEN_PROGRAM, mint, owner)?;
    if token.is_untampered() {
        Ok(())
    } else {
        Err(VaultError::VaultAccountTampered.into())
    }
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
    let is_mint = is_of(view, token_program) && (data.len() == MINT_BYTES || data.get(KIND_OFFSET) == Some(&KIND_MINT));
    let is_initialized = data.get(45) == Some(&INITIALIZED);
    data.get(44).filter(|_| is_mint && is_initialized)
}

/// Classic or Token-2022.
#[inline(never)]
pub fn any_program(account: &AccountView) -> Checked {
    if same(account.address(), &TOKEN_PROGRAM) || same(account.address(), &TOKEN_2022_PROGRAM) {
        Ok(())
    } else {
        Err(OTHER_PROGRAM)
    }
}

/// A transfer of the classic program, between accounts that have been checked to be of one mint.
#[inline(never)]
pub fn transfer(from: &AccountView, to: &AccountView, authority: &AccountView, amount: u64, signer: Option<&Derived>) {
    let mut data = [0u8; 9];
    data[0] = TRANSFER;
    data[1..].copy_from_slice(&amount.to_le_bytes());
    let parties = [Party::writable(from), Party::writable(to), Party::signer(authority)];
    Call::new(&TOKEN_PROGRAM, &data, &parties).send(signer);
}

/// Moves all there is. Returns how much that was.
#[inline(never)]
pub fn transfer_all(from: &AccountView, to: &AccountView, authority: &AccountView, signer: &Derived) -> u64 {
    let amount = balance(from);
    if amount > 0 {
        transfer(from, to, authority, amount, Some(signer));
    }
    amount
}

/// What an account of this token program holds, and whether a delegate may take of it.
#[inline(always)]
pub fn left_in(view: &AccountView, token_program: &Address) -> (u64, bool) {
    account(view, token_program).map_or((0, false), |token| (token.amount(), token.has_delegate()))
}

/// What a classic token account holds; 0 when it is none, which the callers have excluded.
#[inline(never)]
pub fn balance(view: &AccountView) -> u64 {
    account(view, &TOKEN_PROGRAM).map_or(0, Token::amount)
}

/// How many accounts come before those that a hook needs.
pub const TRANSFER_ACCOUNTS: usize = 7;

/// A transfer out of withdraw or recover_trade_account, whose fourth to seventh account are from, to, mint and token program in both.
pub struct Transfer<'a> {
    accounts: &'a [AccountView; TRANSFER_ACCOUNTS],
    /// What a transfer hook needs; never as signers.
    pub extra: &'a [AccountView],
    decimals: u8,
}

impl<'a> Transfer<'a> {
    #[inline(always)]
    pub fn of(context: &Context<'a>, accounts: &'a [AccountView; TRANSFER_ACCOUNTS]) -> Self {
        Self { accounts, extra: context.rest(TRANSFER_ACCOUNTS), decimals: 0 }
    }

    pub fn from(&self) -> &'a AccountView {
        &self.accounts[3]
    }

    fn to(&self) -> &'a AccountView {
        &self.accounts[4]
    }

    fn mint_account(&self) -> &'a AccountView {
        &self.accounts[5]
    }

    pub fn mint(&self) -> &'a Address {
        self.mint_account().address()
    }

    pub fn program(&self) -> &'a Address {
        self.accounts[6].address()
    }

    /// Either token program, a mint of it, and two of its accounts of these owners.
    #[inline(never)]
    pub fn check(&mut self, owner: &Address, taker: &Address) -> Checked {
        any_program(&self.accounts[6])?;
        self.decimals = mint_decimals(self.mint_account(), self.program())?;
        account_of(self.from(), self.program(), self.mint(), owner)?;
        account_of(self.to(), self.program(), self.mint(), taker)?;
        Ok(())
    }

    /// The only transfer that mints with a fee or a hook accept.
    #[inline(never)]
    pub fn send(&self, authority: &AccountView, amount: u64, signer: &Derived) {
        let mut data = [0u8; 10];
        data[0] = TRANSFER_CHECKED;
        data[1..9].copy_from_slice(&amount.to_le_bytes());
        data[9] = self.decimals;
        let parties =
            [Party::writable(self.from()), Party::readonly(self.mint_account()), Party::writable(self.to()), Party::signer(authority)];
        // No extra account has the token program's address and is a signer: that address has no key.
        Call { extra: self.extra, ..Call::new(self.program(), &data, &parties) }.send(Some(signer));
    }
}

/// An instruction on one token account that is its code and nothing more.
pub struct Command<'a> {
    pub program: &'a Address,
    pub account: &'a AccountView,
    /// Where the lamports of a closed account go.
    pub to: &'a AccountView,
    pub authority: &'a AccountView,
}

impl Command<'_> {
    /// Takes a delegate's right away.
    pub fn revoke(&self, signer: &Derived) {
        let parties = [Party::writable(self.account), Party::signer(self.authority)];
        Call::new(self.program, &[REVOKE], &parties).send(Some(signer));
    }

    /// Closes an empty account.
    pub fn close(&self, signer: &Derived) {
        let parties = [Party::writable(self.account), Party::writable(self.to), Party::signer(self.authority)];
        Call::new(self.program, &[CLOSE_ACCOUNT], &parties).send(Some(signer));
    }
}
