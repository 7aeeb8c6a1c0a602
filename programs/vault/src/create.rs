//! Addresses of our own, and accounts made at them, also where somebody has sent lamports before.

use crate::{
    accounts::{same, Context},
    constants::{Word, SYSTEM_PROGRAM},
    error::{require, Checked, VaultError, SEEDS},
    runtime::{Call, Places, SIGNER, WRITABLE},
};
use pinocchio::{
    sysvars::{rent::Rent, Sysvar},
    Address,
};

const CREATE_ACCOUNT: u8 = 0;
const ASSIGN: u8 = 1;
const TRANSFER: u8 = 2;
const ALLOCATE: u8 = 8;

/// An address of the program's own, by its seeds: a word, and a key unless the word is all.
pub struct Derived<'a> {
    pub word: &'static Word,
    pub key: Option<&'a Address>,
    pub bump: u8,
}

impl<'a> Derived<'a> {
    #[inline(always)]
    pub fn of(word: &'static Word, key: &'a Address) -> Self {
        Self { word, key: Some(key), bump: 0 }
    }

    /// No bytes where there is no key, which changes nothing in what is hashed.
    #[inline(always)]
    pub fn key_bytes(&self) -> &'a [u8] {
        self.key.map_or(&[], AsRef::as_ref)
    }

    /// Searches the address, and keeps its bump.
    #[inline(never)]
    pub fn find(&mut self, program: &Address, address: &mut Address) {
        let seeds: [&[u8]; 2] = [*self.word, self.key_bytes()];
        #[cfg(any(target_os = "solana", target_arch = "bpf"))]
        // SAFETY: two slices, as the runtime reads them, and room for an address and for its bump. Of the 256 there is always one.
        unsafe {
            let (found, bump) = (address.as_mut().as_mut_ptr(), &raw mut self.bump);
            let program = program.as_array().as_ptr();
            solana_define_syscall::definitions::sol_try_find_program_address(seeds.as_ptr().cast(), 2, program, found, bump);
        }
        #[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
        {
            let (found, bump) = Address::find_program_address(&seeds, program);
            *address = found;
            self.bump = bump;
        }
    }

    /// Searches the address and refuses another.
    #[inline(never)]
    pub fn check(&mut self, given: &Address, program: &Address) -> Checked {
        let mut address = Address::default();
        self.find(program, &mut address);
        require(same(given, &address), SEEDS)
    }
}

/// Makes the account at `place`, paid for by the first account.
#[inline(never)]
pub fn make(context: &Context, place: u8, length: usize, at: &Derived) -> Checked {
    let account = context.at(usize::from(place));
    let rent = Rent::get().and_then(|rent| rent.try_minimum_balance(length)).map_err(|_| VaultError::MathOverflow)?;
    let own = Places::of([place | WRITABLE | SIGNER]);
    let mut data = [0u8; 52];
    data[20..].copy_from_slice(context.program.as_ref());
    if account.lamports() == 0 {
        data[4..12].copy_from_slice(&rent.to_le_bytes());
        data[12..20].copy_from_slice(&(length as u64).to_le_bytes());
        data[0] = CREATE_ACCOUNT;
        command(context, Places::of([WRITABLE | SIGNER, place | WRITABLE | SIGNER]), &data, Some(at));
        return Ok(());
    }
    let missing = rent.saturating_sub(account.lamports());
    if missing > 0 {
        pay(context, Places::of([WRITABLE | SIGNER, place | WRITABLE]), missing, None);
    }
    data[4..12].copy_from_slice(&(length as u64).to_le_bytes());
    data[0] = ALLOCATE;
    command(context, own, &data[..12], Some(at));
    // Its number stands right before the owner, which lies where creation has it.
    data[16] = ASSIGN;
    command(context, own, &data[16..], Some(at));
    Ok(())
}

#[inline(never)]
fn command(context: &Context, places: Places, data: &[u8], signer: Option<&Derived>) {
    Call::new(&SYSTEM_PROGRAM, data, places).send(context, signer);
}

/// Lamports from an account of the system program.
#[inline(never)]
pub fn pay(context: &Context, places: Places, lamports: u64, signer: Option<&Derived>) {
    let mut data = [0u8; 12];
    data[0] = TRANSFER;
    data[4..].copy_from_slice(&lamports.to_le_bytes());
    command(context, places, &data, signer);
}
