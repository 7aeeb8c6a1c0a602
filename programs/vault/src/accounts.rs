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
    pub accounts: &'a [AccountView],
}

/// What the owner's instructions begin with, checked.
pub struct Owned<'a, const N: usize> {
    pub accounts: &'a [AccountView; N],
    pub vault: &'a mut Vault,
    pub policy: &'a mut Policy,
}

impl<'a> Context<'a> {
    /// The first N accounts, where they stand (copies would cost the target a register or a place on the stack each). Those whose places
    /// are in `written` must be writable.
    #[inline(always)]
    pub fn take<const N: usize>(&self, written: &[u8]) -> Checked<&'a [AccountView; N]> {
        self.check(N, written)?;
        Ok(self.first())
    }

    #[inline(never)]
    fn check(&self, count: usize, written: &[u8]) -> Checked {
        if self.accounts.len() < count {
            return Err(TOO_FEW_ACCOUNTS);
        }
        let is_writable = |place: &u8| self.accounts.get(usize::from(*place)).is_some_and(AccountView::is_writable);
        if written.iter().all(is_writable) {
            Ok(())
        } else {
            Err(NOT_WRITABLE)
        }
    }

    /// As `take`, where the accounts begin with the owner, who has signed, his vault, and its policy.
    #[inline(always)]
    pub fn take_of_owner<const N: usize>(&self, written: &[u8]) -> Checked<Owned<'a, N>> {
        const { assert!(N >= 3) }
        self.check_of_owner(N, written)?;
        let accounts = self.first::<N>();
        Ok(Owned { accounts, vault: in_place(&accounts[1]), policy: in_place(&accounts[2]) })
    }

    #[inline(always)]
    fn first<const N: usize>(&self) -> &'a [AccountView; N] {
        // SAFETY: `check` has counted them.
        unsafe { &*self.accounts.as_ptr().cast() }
    }

    #[inline(never)]
    fn check_of_owner(&self, count: usize, written: &[u8]) -> Checked {
        self.check(count, written)?;
        let [owner, vault, policy, ..] = self.accounts else { return Err(TOO_FEW_ACCOUNTS) };
        check_owned(vault, owner, self.program)?;
        check_policy(policy, vault, self.program)
    }

    /// The accounts after the first N.
    pub fn rest(&self, n: usize) -> &'a [AccountView] {
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
    if !is_of(account, program) {
        let absent = is_of(account, &SYSTEM_PROGRAM) && account.lamports() == 0;
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

/// A well-formed vault, whoever's.
#[inline(never)]
fn check_vault(account: &AccountView, program: &Address) -> Checked {
    check(account, program, u64::from_le_bytes(Vault::DISCRIMINATOR), Vault::LEN)?;
    if vault_of(account).is_well_formed() {
        Ok(())
    } else {
        Err(BAD_ACCOUNT)
    }
}

/// A vault whose owner has signed.
#[inline(never)]
fn check_owned(account: &AccountView, owner: &AccountView, program: &Address) -> Checked {
    signer(owner)?;
    check_vault(account, program)?;
    if same(vault_of(account).owner(), owner.address()) {
        Ok(())
    } else {
        Err(HAS_ONE)
    }
}

fn vault_of(account: &AccountView) -> &Vault {
    // SAFETY: owner, discriminator and length are checked by the callers, and any bytes are a value.
    unsafe { &*account.data_ptr().cast::<Vault>() }
}

#[inline(always)]
pub fn load_vault<'a>(account: &'a AccountView, program: &Address) -> Checked<&'a Vault> {
    check_vault(account, program)?;
    Ok(vault_of(account))
}

/// The vault, after checking that `owner` signed and owns it.
#[inline(always)]
pub fn owned_vault<'a>(account: &'a AccountView, owner: &AccountView, program: &Address) -> Checked<&'a Vault> {
    check_owned(account, owner, program)?;
    Ok(vault_of(account))
}

#[inline(never)]
fn check_policy(account: &AccountView, vault: &AccountView, program: &Address) -> Checked {
    check(account, program, u64::from_le_bytes(Policy::DISCRIMINATOR), Policy::LEN)?;
    if same(&policy_of(account).vault, vault.address()) {
        Ok(())
    } else {
        Err(HAS_ONE)
    }
}

fn policy_of(account: &AccountView) -> &Policy {
    // SAFETY: owner, discriminator and length are checked by the callers, and every field is bytes, so any content is valid.
    unsafe { &*account.data_ptr().cast::<Policy>() }
}

/// The policy of `vault`, in place. It is never handed to another program, so the borrow may live through a call to one.
#[inline(always)]
pub fn load_policy<'a>(account: &'a AccountView, vault: &AccountView, program: &Address) -> Checked<&'a mut Policy> {
    check_policy(account, vault, program)?;
    Ok(in_place(account))
}

#[inline(never)]
fn check_config(account: &AccountView, program: &Address) -> Checked {
    check(account, program, u64::from_le_bytes(Config::DISCRIMINATOR), Config::LEN)
}

/// The one Config: only initialize_config makes such an account, at one address.
#[inline(always)]
pub fn read_config<'a>(account: &'a AccountView, program: &Address) -> Checked<&'a Config> {
    check_config(account, program)?;
    // SAFETY: checked above, and every field is bytes.
    Ok(unsafe { &*account.data_ptr().cast::<Config>() })
}

#[inline(always)]
pub fn load_config<'a>(account: &'a AccountView, program: &Address) -> Checked<&'a mut Config> {
    check_config(account, program)?;
    Ok(in_place(account))
}

/// An account just made by this program, with the length of `T` and only zeroes in it.
#[inline(always)]
pub fn new_in_place<T: Bytes>(account: &AccountView) -> &mut T {
    in_place(account)
}

/// What lies in accounts of ours: nothing but bytes, so that any content is a value and no place is misaligned.
pub trait Bytes {}
impl Bytes for Vault {}
impl Bytes for Policy {}
impl Bytes for Config {}

/// The account's data as what it has been checked to be.
#[inline(always)]
#[allow(clippy::mut_from_ref)]
fn in_place<T: Bytes>(account: &AccountView) -> &mut T {
    // SAFETY: a view is a pointer to the runtime's memory, which is writable; owner, kind and length are checked. An instruction asks
    // once for each of its accounts of ours, which are of different kinds, so no two references are to the same bytes.
    let mut view = *account;
    unsafe { &mut *view.data_mut_ptr().cast::<T>() }
}

/// Whether the account is one of `program`'s. Not inlined, for the same reason as `same`.
#[inline(never)]
pub fn is_of(account: &AccountView, program: &Address) -> bool {
    account.owned_by(program)
}

/// Not inlined, for the same reason as `same`.
#[inline(never)]
pub fn set(address: &mut Address, to: &Address) {
    address.clone_from(to);
}

/// Whether two addresses are the same. Not inlined: the comparison is long, and made often.
#[inline(never)]
pub fn same(one: &Address, other: &Address) -> bool {
    address_eq(one, other)
}

const _: () = assert!(size_of::<Policy>() == Policy::LEN && size_of::<Config>() == Config::LEN && size_of::<Vault>() == Vault::LEN);
const _: () = assert!(align_of::<Policy>() == 1 && align_of::<Config>() == 1 && align_of::<Vault>() == 1);
