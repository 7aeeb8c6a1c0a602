//! The checks that every instruction begins with. An account of ours is trusted by its owner, its discriminator and the links stored in it;
//! all of them were made by this program at derived addresses, so no address is derived again.

use crate::{
    constants::SYSTEM_PROGRAM,
    error::*,
    state::{Config, Policy, Vault},
};
use pinocchio::{address::address_eq, error::ProgramError, AccountView, Address, ProgramResult};

/// What an instruction was called with.
pub struct Context<'a> {
    pub program: &'a Address,
    pub accounts: &'a mut [AccountView],
}

impl Context<'_> {
    /// The first N accounts. Views are pointers, so a copy is the same account.
    pub fn take<const N: usize>(&self) -> Result<[AccountView; N], ProgramError> {
        self.accounts.first_chunk::<N>().copied().ok_or(TOO_FEW_ACCOUNTS)
    }

    /// The accounts after the first N.
    pub fn rest(&self, n: usize) -> &[AccountView] {
        self.accounts.get(n..).unwrap_or_default()
    }
}

pub fn signer(account: &AccountView) -> ProgramResult {
    if account.is_signer() {
        Ok(())
    } else {
        Err(NOT_SIGNER)
    }
}

pub fn writable<const N: usize>(accounts: [&AccountView; N]) -> ProgramResult {
    if accounts.iter().all(|account| account.is_writable()) {
        Ok(())
    } else {
        Err(NOT_WRITABLE)
    }
}

pub fn program(account: &AccountView, id: &Address) -> ProgramResult {
    if address_eq(account.address(), id) {
        Ok(())
    } else {
        Err(OTHER_PROGRAM)
    }
}

/// The bytes of an account of ours, after owner, discriminator and length.
fn checked<'a>(account: &'a AccountView, program: &Address, discriminator: &[u8; 8], length: usize) -> Result<&'a [u8], ProgramError> {
    if !account.owned_by(program) {
        let absent = account.owned_by(&SYSTEM_PROGRAM) && account.lamports() == 0;
        return Err(if absent { NOT_INITIALIZED } else { OTHER_OWNER });
    }
    // SAFETY: no mutable borrow of this account lives; the callers below hand out at most one at a time.
    let data = unsafe { account.borrow_unchecked() };
    match data.first_chunk::<8>() {
        None => Err(NO_DISCRIMINATOR),
        Some(found) if u64::from_le_bytes(*found) != u64::from_le_bytes(*discriminator) => Err(OTHER_DISCRIMINATOR),
        Some(_) if data.len() != length => Err(BAD_ACCOUNT),
        Some(_) => Ok(data),
    }
}

pub fn load_vault(account: &AccountView, program: &Address) -> Result<Vault, ProgramError> {
    let data = checked(account, program, &Vault::DISCRIMINATOR, Vault::LEN)?;
    Vault::read(data.get(8..).unwrap_or_default()).map_err(|_| BAD_ACCOUNT)
}

/// The vault, after checking that `owner` signed and owns it.
pub fn owned_vault(account: &AccountView, owner: &AccountView, program: &Address) -> Result<Vault, ProgramError> {
    signer(owner)?;
    let vault = load_vault(account, program)?;
    if address_eq(&vault.owner, owner.address()) {
        Ok(vault)
    } else {
        Err(HAS_ONE)
    }
}

/// Writes the whole vault back.
pub fn store_vault(account: &mut AccountView, vault: &Vault) {
    // SAFETY: `load_vault` has checked the length, and nothing borrows the account.
    unsafe { account.borrow_unchecked_mut() }.copy_from_slice(&vault.bytes());
}

/// The policy of `vault`, in place. Holds a borrow of nothing that a call to another program could change: callers let it go before one.
pub fn load_policy<'a>(account: &'a mut AccountView, vault: &AccountView, program: &Address) -> Result<&'a mut Policy, ProgramError> {
    checked(account, program, &Policy::DISCRIMINATOR, Policy::LEN)?;
    // SAFETY: owner, discriminator and length are checked, and every field is bytes, so any content is valid.
    let policy = unsafe { &mut *account.borrow_unchecked_mut().as_mut_ptr().cast::<Policy>() };
    if address_eq(&policy.vault, vault.address()) {
        Ok(policy)
    } else {
        Err(HAS_ONE)
    }
}

/// As `load_policy`, of an account that the caller has only to read.
pub fn read_policy<'a>(account: &'a AccountView, vault: &AccountView, program: &Address) -> Result<&'a Policy, ProgramError> {
    let data = checked(account, program, &Policy::DISCRIMINATOR, Policy::LEN)?;
    // SAFETY: as above.
    let policy = unsafe { &*data.as_ptr().cast::<Policy>() };
    if address_eq(&policy.vault, vault.address()) {
        Ok(policy)
    } else {
        Err(HAS_ONE)
    }
}

/// The one Config: only initialize_config makes such an account, at one address.
pub fn read_config<'a>(account: &'a AccountView, program: &Address) -> Result<&'a Config, ProgramError> {
    let data = checked(account, program, &Config::DISCRIMINATOR, Config::LEN)?;
    // SAFETY: as above.
    Ok(unsafe { &*data.as_ptr().cast::<Config>() })
}

pub fn load_config<'a>(account: &'a mut AccountView, program: &Address) -> Result<&'a mut Config, ProgramError> {
    checked(account, program, &Config::DISCRIMINATOR, Config::LEN)?;
    // SAFETY: as above.
    Ok(unsafe { &mut *account.borrow_unchecked_mut().as_mut_ptr().cast::<Config>() })
}

const _: () = assert!(size_of::<Policy>() == Policy::LEN && size_of::<Config>() == Config::LEN);
const _: () = assert!(align_of::<Policy>() == 1 && align_of::<Config>() == 1);
