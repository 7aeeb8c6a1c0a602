//! The checks that every instruction begins with. An account of ours is trusted by its owner, its discriminator and the links stored in it;
//! all of them were made by this program at derived addresses, so no address is derived again.

use crate::{
    constants::SYSTEM_PROGRAM,
    error::*,
    state::{Config, Policy, Vault},
};
use pinocchio::{address::address_eq, AccountView, Address};

/// What an instruction was called with.
pub struct Context<'a> {
    pub program: &'a Address,
    pub accounts: &'a mut [AccountView],
}

impl Context<'_> {
    /// The first N accounts. Views are pointers, so a copy is the same account.
    pub fn take<const N: usize>(&self) -> Checked<[AccountView; N]> {
        self.accounts.first_chunk::<N>().copied().ok_or(TOO_FEW_ACCOUNTS)
    }

    /// The accounts after the first N.
    pub fn rest(&self, n: usize) -> &[AccountView] {
        self.accounts.get(n..).unwrap_or_default()
    }
}

pub fn signer(account: &AccountView) -> Checked {
    if account.is_signer() {
        Ok(())
    } else {
        Err(NOT_SIGNER)
    }
}

pub fn writable<const N: usize>(accounts: [&AccountView; N]) -> Checked {
    if accounts.iter().all(|account| account.is_writable()) {
        Ok(())
    } else {
        Err(NOT_WRITABLE)
    }
}

pub fn program(account: &AccountView, id: &Address) -> Checked {
    if same(account.address(), id) {
        Ok(())
    } else {
        Err(OTHER_PROGRAM)
    }
}

/// Owner, discriminator and length of an account of ours.
#[inline(never)]
fn check(account: &AccountView, program: &Address, discriminator: u64, length: usize) -> Checked {
    if !account.owned_by(program) {
        let absent = account.owned_by(&SYSTEM_PROGRAM) && account.lamports() == 0;
        return Err(if absent { NOT_INITIALIZED } else { OTHER_OWNER });
    }
    // SAFETY: no mutable borrow of this account lives; the callers below hand out at most one at a time.
    let data = unsafe { account.borrow_unchecked() };
    match data.first_chunk::<8>() {
        None => Err(NO_DISCRIMINATOR),
        Some(found) if u64::from_le_bytes(*found) != discriminator => Err(OTHER_DISCRIMINATOR),
        Some(_) if data.len() != length => Err(BAD_ACCOUNT),
        Some(_) => Ok(()),
    }
}

#[inline(never)]
pub fn load_vault(account: &AccountView, program: &Address) -> Checked<Vault> {
    check(account, program, u64::from_le_bytes(Vault::DISCRIMINATOR), Vault::LEN)?;
    // SAFETY: as in `check`.
    let data = unsafe { account.borrow_unchecked() };
    Vault::read(data.get(8..).unwrap_or_default()).ok_or(BAD_ACCOUNT)
}

/// The vault, after checking that `owner` signed and owns it.
#[inline(never)]
pub fn owned_vault(account: &AccountView, owner: &AccountView, program: &Address) -> Checked<Vault> {
    signer(owner)?;
    let vault = load_vault(account, program)?;
    if same(&vault.owner, owner.address()) {
        Ok(vault)
    } else {
        Err(HAS_ONE)
    }
}

/// Writes the whole vault back.
#[inline(never)]
pub fn store_vault(account: &mut AccountView, vault: &Vault) {
    // SAFETY: `load_vault` has checked the length, and nothing borrows the account.
    unsafe { account.borrow_unchecked_mut() }.copy_from_slice(&vault.bytes());
}

#[inline(never)]
fn check_policy(account: &AccountView, vault: &AccountView, program: &Address) -> Checked {
    check(account, program, u64::from_le_bytes(Policy::DISCRIMINATOR), Policy::LEN)?;
    // SAFETY: owner, discriminator and length are checked, and every field is bytes, so any content is valid.
    let policy = unsafe { &*account.data_ptr().cast::<Policy>() };
    if same(&policy.vault, vault.address()) {
        Ok(())
    } else {
        Err(HAS_ONE)
    }
}

/// The policy of `vault`, in place. It is never handed to another program, so the borrow may live through a call to one.
#[inline(always)]
pub fn load_policy<'a>(account: &'a mut AccountView, vault: &AccountView, program: &Address) -> Checked<&'a mut Policy> {
    check_policy(account, vault, program)?;
    // SAFETY: checked above; the caller holds the only view that is used mutably.
    Ok(unsafe { &mut *account.data_mut_ptr().cast::<Policy>() })
}

/// As `load_policy`, of an account that the caller has only to read.
#[inline(always)]
pub fn read_policy<'a>(account: &'a AccountView, vault: &AccountView, program: &Address) -> Checked<&'a Policy> {
    check_policy(account, vault, program)?;
    // SAFETY: as above.
    Ok(unsafe { &*account.data_ptr().cast::<Policy>() })
}

/// The one Config: only initialize_config makes such an account, at one address.
#[inline(always)]
pub fn read_config<'a>(account: &'a AccountView, program: &Address) -> Checked<&'a Config> {
    check(account, program, u64::from_le_bytes(Config::DISCRIMINATOR), Config::LEN)?;
    // SAFETY: as above.
    Ok(unsafe { &*account.data_ptr().cast::<Config>() })
}

#[inline(always)]
pub fn load_config<'a>(account: &'a mut AccountView, program: &Address) -> Checked<&'a mut Config> {
    check(account, program, u64::from_le_bytes(Config::DISCRIMINATOR), Config::LEN)?;
    // SAFETY: as above.
    Ok(unsafe { &mut *account.data_mut_ptr().cast::<Config>() })
}

/// Whether two addresses are the same. Not inlined: the comparison is long, and made often.
#[inline(never)]
pub fn same(one: &Address, other: &Address) -> bool {
    address_eq(one, other)
}

const _: () = assert!(size_of::<Policy>() == Policy::LEN && size_of::<Config>() == Config::LEN);
const _: () = assert!(align_of::<Policy>() == 1 && align_of::<Config>() == 1);
