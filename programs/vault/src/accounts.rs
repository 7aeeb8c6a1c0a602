//! What every instruction begins with. An account of ours is trusted by its owner, its discriminator and the links stored in it; all of them
//! were made by this program at derived addresses, so no address is derived again.

use crate::{
    constants::SYSTEM_PROGRAM,
    error::*,
    state::{Config, Policy, Vault},
};
use pinocchio::{address::address_eq, AccountView, Address};

/// The first account has signed.
pub const SIGNED: u8 = 1;
/// The second account is a vault.
pub const VAULT: u8 = 2;
/// It is that of the first account.
pub const OWNED: u8 = 4;
/// The third account is that vault's policy.
pub const POLICY: u8 = 8;
pub const OF_OWNER: u8 = SIGNED | VAULT | OWNED | POLICY;

/// What an instruction must be called with. It stands in the table of instructions and is checked before any of them begins.
pub struct Shape {
    pub accounts: u8,
    /// Bit i: account i must be writable.
    pub written: u16,
    pub checks: u8,
    /// Where Config stands, which is never first; 0: nowhere.
    pub config: u8,
}

/// What an instruction was called with, in the shape that it asks for.
pub struct Context<'a> {
    pub program: &'a Address,
    pub accounts: &'a [AccountView],
    pub shape: &'a Shape,
}

/// What an instruction was called with, before anything was looked at.
pub struct Unchecked<'a>(Context<'a>);

impl<'a> Unchecked<'a> {
    #[inline(always)]
    pub fn of(program: &'a Address, accounts: &'a [AccountView], shape: &'a Shape) -> Self {
        Self(Context { program, accounts, shape })
    }

    #[inline(always)]
    pub fn check(&self) -> Checked<&Context<'a>> {
        self.0.check()?;
        Ok(&self.0)
    }
}

impl<'a> Context<'a> {
    /// The account at a place that the shape has counted, where it stands: a copy would cost the target a register or a place on the stack.
    #[inline(always)]
    pub fn at(&self, place: usize) -> &'a AccountView {
        debug_assert!(place < usize::from(self.shape.accounts));
        // SAFETY: the shape has been counted, and no instruction names a place beyond its own.
        unsafe { self.accounts.get_unchecked(place) }
    }

    /// The accounts after those that the shape counts.
    #[inline(always)]
    pub fn rest(&self) -> &'a [AccountView] {
        // SAFETY: the shape has been counted.
        unsafe { self.accounts.get_unchecked(usize::from(self.shape.accounts)..) }
    }

    /// Everything that the shape asks for.
    #[inline(never)]
    fn check(&self) -> Checked {
        let shape = self.shape;
        require(self.accounts.len() >= usize::from(shape.accounts), TOO_FEW_ACCOUNTS)?;
        let (mut written, mut place) = (shape.written, 0);
        while written != 0 {
            require(written & 1 == 0 || self.at(place).is_writable(), NOT_WRITABLE)?;
            written >>= 1;
            place = place.wrapping_add(1);
        }
        if shape.checks & SIGNED != 0 {
            require(self.at(0).is_signer(), NOT_SIGNER)?;
        }
        if shape.checks & VAULT != 0 {
            self.is_ours(1, u64::from_le_bytes(Vault::DISCRIMINATOR), Vault::LEN)?;
            let vault: &Vault = in_place(self.at(1));
            require(vault.is_well_formed(), BAD_ACCOUNT)?;
        }
        if shape.checks & OWNED != 0 {
            let vault: &Vault = in_place(self.at(1));
            require(same(vault.owner(), self.at(0).address()), HAS_ONE)?;
        }
        if shape.checks & POLICY != 0 {
            self.is_ours(2, u64::from_le_bytes(Policy::DISCRIMINATOR), Policy::LEN)?;
            let policy: &Policy = in_place(self.at(2));
            require(same(&policy.vault, self.at(1).address()), HAS_ONE)?;
        }
        if shape.config != 0 {
            self.is_ours(usize::from(shape.config), u64::from_le_bytes(Config::DISCRIMINATOR), Config::LEN)?;
        }
        Ok(())
    }

    /// Owner, discriminator and length of an account of ours.
    #[inline(never)]
    fn is_ours(&self, place: usize, discriminator: u64, length: usize) -> Checked {
        let account = self.at(place);
        if !is_of(account, self.program) {
            let absent = is_of(account, &SYSTEM_PROGRAM) && account.lamports() == 0;
            return Err(if absent { NOT_INITIALIZED } else { OTHER_OWNER });
        }
        // SAFETY: nothing is borrowed before an instruction begins.
        let data = unsafe { account.borrow_unchecked() };
        let found = data.first_chunk::<8>().ok_or(NO_DISCRIMINATOR)?;
        require(u64::from_le_bytes(*found) == discriminator, OTHER_DISCRIMINATOR)?;
        require(data.len() == length, BAD_ACCOUNT)
    }

    /// The vault. An instruction asks once, and its shape must.
    #[inline(never)]
    pub fn vault(&self) -> &'a mut Vault {
        assert!(self.shape.checks & VAULT != 0, "");
        in_place(self.at(1))
    }

    /// Its policy. An instruction asks once, and its shape must. It is never handed to another program, so the borrow may live through a
    /// call to one.
    #[inline(never)]
    pub fn policy(&self) -> &'a mut Policy {
        assert!(self.shape.checks & POLICY != 0, "");
        in_place(self.at(2))
    }

    /// Config. An instruction asks once, and its shape must.
    #[inline(never)]
    pub fn config(&self) -> &'a mut Config {
        let place = usize::from(self.shape.config);
        assert!(place != 0, "");
        in_place(self.at(place))
    }
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

/// As `same`, for where they mostly differ: then the first bytes mostly say so already.
#[inline(always)]
pub fn same_rarely(one: &Address, other: &Address) -> bool {
    one.as_array().first_chunk::<8>() == other.as_array().first_chunk::<8>() && same(one, other)
}

/// Whether two addresses are the same. Not inlined: the comparison is long, and made often.
#[inline(never)]
pub fn same(one: &Address, other: &Address) -> bool {
    address_eq(one, other)
}

const _: () = assert!(size_of::<Policy>() == Policy::LEN && size_of::<Config>() == Config::LEN && size_of::<Vault>() == Vault::LEN);
const _: () = assert!(align_of::<Policy>() == 1 && align_of::<Config>() == 1 && align_of::<Vault>() == 1);
