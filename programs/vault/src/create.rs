//! Makes an account of ours at a derived address, also where somebody has sent lamports to it before.

use crate::{
    accounts::{same, set},
    constants::SYSTEM_PROGRAM,
    error::{Checked, VaultError, SEEDS},
    runtime::{Call, Party},
};
use pinocchio::{
    sysvars::{rent::Rent, Sysvar},
    AccountView, Address,
};

const CREATE_ACCOUNT: u8 = 0;
const ASSIGN: u8 = 1;
const TRANSFER: u8 = 2;
const ALLOCATE: u8 = 8;

pub struct Creation<'a> {
    pub program: &'a Address,
    pub payer: &'a AccountView,
}

/// An address of the program's own, by its seeds: a word, and a key unless the word is all.
pub struct Derived<'a> {
    pub word: &'a [u8],
    pub key: &'a [u8],
    pub bump: u8,
}

impl<'a> Derived<'a> {
    #[inline(always)]
    pub fn of(word: &'a [u8], key: &'a Address) -> Self {
        Self { word, key: key.as_ref(), bump: 0 }
    }

    /// Searches the address, and keeps its bump.
    #[inline(never)]
    pub fn find(&mut self, program: &Address, address: &mut Address) {
        // A seed of no bytes changes nothing in what is hashed.
        let (found, bump) = Address::find_program_address(&[self.word, self.key], program);
        set(address, &found);
        self.bump = bump;
    }

    /// Searches the address and refuses an account that stands elsewhere.
    #[inline(never)]
    pub fn check(&mut self, account: &AccountView, program: &Address) -> Checked {
        let mut address = Address::default();
        self.find(program, &mut address);
        if same(account.address(), &address) {
            Ok(())
        } else {
            Err(SEEDS)
        }
    }
}

impl Creation<'_> {
    #[inline(never)]
    pub fn make(&self, account: &AccountView, length: usize, at: &Derived) -> Checked {
        let rent = Rent::get().and_then(|rent| rent.try_minimum_balance(length)).map_err(|_| VaultError::MathOverflow)?;
        let mut data = [0u8; 52];
        data[20..].copy_from_slice(self.program.as_ref());
        let parties = [Party::writable_signer(account), Party::writable_signer(self.payer)];
        let [own, payer] = parties;
        if account.lamports() == 0 {
            data[4..12].copy_from_slice(&rent.to_le_bytes());
            data[12..20].copy_from_slice(&(length as u64).to_le_bytes());
            data[0] = CREATE_ACCOUNT;
            command(&data, &[payer, own], Some(at));
            return Ok(());
        }
        let missing = rent.saturating_sub(account.lamports());
        if missing > 0 {
            pay(self.payer, account, missing, None);
        }
        data[4..12].copy_from_slice(&(length as u64).to_le_bytes());
        data[0] = ALLOCATE;
        command(&data[..12], &[own], Some(at));
        // Its number stands right before the owner, which lies where creation has it.
        data[16] = ASSIGN;
        command(&data[16..], &[own], Some(at));
        Ok(())
    }
}

#[inline(never)]
fn command(data: &[u8], parties: &[Party], signer: Option<&Derived>) {
    Call::new(&SYSTEM_PROGRAM, data, parties).send(signer);
}

/// Lamports from an account of the system program.
#[inline(never)]
pub fn pay(from: &AccountView, to: &AccountView, lamports: u64, signer: Option<&Derived>) {
    let mut data = [0u8; 12];
    data[0] = TRANSFER;
    data[4..].copy_from_slice(&lamports.to_le_bytes());
    command(&data, &[Party::writable_signer(from), Party::writable(to)], signer);
}
