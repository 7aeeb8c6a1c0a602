//! Token accounts and mints as bytes, and calls to a token program. Classic and Token-2022 share the first 165 and 82 bytes.

use crate::{
    bounded::Bounded,
    constants::{TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
    error::{VaultError, OTHER_PROGRAM},
};
use pinocchio::{
    address::address_eq,
    cpi::{invoke_signed, invoke_signed_with_slice, Signer},
    error::ProgramError,
    instruction::{InstructionAccount, InstructionView},
    AccountView, Address, ProgramResult,
};

const ACCOUNT_BYTES: usize = 165;
const MINT_BYTES: usize = 82;
const KIND_OFFSET: usize = 165;
const KIND_MINT: u8 = 1;
const KIND_ACCOUNT: u8 = 2;
const INITIALIZED: u8 = 1;
const NONE: [u8; 4] = [0; 4];

/// Of a transfer with the accounts of its hook.
const ACCOUNTS_MAX: usize = 64;

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
pub fn account<'a>(account: &'a AccountView, token_program: &Address) -> Option<&'a Token> {
    if !account.owned_by(token_program) {
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

/// A token account of this mint that `owner` owns, or InvalidTokenAccount.
#[inline(always)]
pub fn account_of<'a>(view: &'a AccountView, token_program: &Address, mint: &Address, owner: &Address) -> Result<&'a Token, ProgramError> {
    match account(view, token_program) {
        Some(token) if address_eq(&token.mint, mint) && address_eq(&token.owner, owner) => Ok(token),
        _ => Err(VaultError::InvalidTokenAccount.into()),
    }
}

/// As `account_of`, and with nobody else who could move or close it.
#[inline(always)]
pub fn untampered<'a>(view: &'a AccountView, token_program: &Address, mint: &Address, owner: &Address) -> Result<&'a Token, ProgramError> {
    let token = account_of(view, token_program, mint, owner)?;
    if token.is_untampered() {
        Ok(token)
    } else {
        Err(VaultError::VaultAccountTampered.into())
    }
}

/// Decimals of a mint of this token program, or InvalidMint.
pub fn mint_decimals(view: &AccountView, token_program: &Address) -> Result<u8, ProgramError> {
    // SAFETY: this program never borrows a mint mutably.
    let data = unsafe { view.borrow_unchecked() };
    let is_mint = view.owned_by(token_program) && (data.len() == MINT_BYTES || data.get(KIND_OFFSET) == Some(&KIND_MINT));
    match (is_mint, data.get(44), data.get(45)) {
        (true, Some(decimals), Some(&INITIALIZED)) => Ok(*decimals),
        _ => Err(VaultError::InvalidMint.into()),
    }
}

pub fn is_token_program(id: &Address) -> bool {
    address_eq(id, &TOKEN_PROGRAM) || address_eq(id, &TOKEN_2022_PROGRAM)
}

/// Classic or Token-2022.
pub fn any_program(account: &AccountView) -> ProgramResult {
    if is_token_program(account.address()) {
        Ok(())
    } else {
        Err(OTHER_PROGRAM)
    }
}

/// A transfer of the classic program, between accounts that have been checked to be of one mint.
pub struct Movement<'a> {
    pub from: &'a AccountView,
    pub to: &'a AccountView,
    pub authority: &'a AccountView,
}

impl Movement<'_> {
    #[inline(never)]
    pub fn of(&self, amount: u64, signers: &[Signer]) -> ProgramResult {
        let mut data = [0u8; 9];
        data[0] = TRANSFER;
        data[1..].copy_from_slice(&amount.to_le_bytes());
        let metas = [
            InstructionAccount::writable(self.from.address()),
            InstructionAccount::writable(self.to.address()),
            InstructionAccount::readonly_signer(self.authority.address()),
        ];
        let instruction = InstructionView { program_id: &TOKEN_PROGRAM, accounts: &metas, data: &data };
        invoke_signed(&instruction, &[self.from, self.to, self.authority], signers)
    }

    /// Moves all there is. Returns how much that was.
    pub fn of_all(&self, signers: &[Signer]) -> Result<u64, ProgramError> {
        let amount = account(self.from, &TOKEN_PROGRAM).ok_or(VaultError::VaultAccountTampered)?.amount();
        if amount > 0 {
            self.of(amount, signers)?;
        }
        Ok(amount)
    }
}

/// The parties of a checked transfer.
pub struct Transfer<'a> {
    pub program: &'a Address,
    pub from: &'a AccountView,
    pub mint: &'a AccountView,
    pub to: &'a AccountView,
    pub authority: &'a AccountView,
    /// What a transfer hook needs; never as signers.
    pub extra: &'a [AccountView],
}

impl Transfer<'_> {
    /// The only transfer that mints with a fee or a hook accept.
    #[inline(always)]
    pub fn checked(&self, amount: u64, decimals: u8, signers: &[Signer]) -> ProgramResult {
        let mut data = [0u8; 10];
        data[0] = TRANSFER_CHECKED;
        data[1..9].copy_from_slice(&amount.to_le_bytes());
        data[9] = decimals;
        let metas = [
            InstructionAccount::writable(self.from.address()),
            InstructionAccount::readonly(self.mint.address()),
            InstructionAccount::writable(self.to.address()),
            InstructionAccount::readonly_signer(self.authority.address()),
        ];
        let views = [self.from, self.mint, self.to, self.authority];
        if self.extra.is_empty() {
            let instruction = InstructionView { program_id: self.program, accounts: &metas, data: &data };
            return invoke_signed(&instruction, &views, signers);
        }
        let (mut all_metas, mut all_views) = (Bounded::<_, ACCOUNTS_MAX>::new(), Bounded::<_, ACCOUNTS_MAX>::new());
        let mut is_room = true;
        for (meta, view) in metas.into_iter().zip(views) {
            is_room &= all_metas.push(meta) && all_views.push(view);
        }
        for view in self.extra {
            let meta = InstructionAccount::new(view.address(), view.is_writable(), false);
            is_room &= all_metas.push(meta) && all_views.push(view);
        }
        if !is_room {
            return Err(VaultError::ForbiddenRemainingAccount.into());
        }
        let instruction = InstructionView { program_id: self.program, accounts: all_metas.as_slice(), data: &data };
        invoke_signed_with_slice(&instruction, all_views.as_slice(), signers)
    }
}

/// Takes a delegate's right away.
#[inline(always)]
pub fn revoke(program: &Address, account: &AccountView, authority: &AccountView, signers: &[Signer]) -> ProgramResult {
    let metas = [InstructionAccount::writable(account.address()), InstructionAccount::readonly_signer(authority.address())];
    let instruction = InstructionView { program_id: program, accounts: &metas, data: &[REVOKE] };
    invoke_signed(&instruction, &[account, authority], signers)
}

/// Closes an empty account; its lamports go to `to`.
#[inline(always)]
pub fn close(program: &Address, account: &AccountView, to: &AccountView, authority: &AccountView, signers: &[Signer]) -> ProgramResult {
    let metas = [
        InstructionAccount::writable(account.address()),
        InstructionAccount::writable(to.address()),
        InstructionAccount::readonly_signer(authority.address()),
    ];
    let instruction = InstructionView { program_id: program, accounts: &metas, data: &[CLOSE_ACCOUNT] };
    invoke_signed(&instruction, &[account, to, authority], signers)
}
