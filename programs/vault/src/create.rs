//! Makes an account of ours at a derived address, also where somebody has sent lamports to it before.

use crate::{
    constants::SYSTEM_PROGRAM,
    error::{Checked, VaultError},
    runtime::{Call, Party},
};
use pinocchio::{
    cpi::{Seed, Signer},
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

/// The seeds of an address: a word, a key unless the word is all, and the bump.
pub struct Derived<'a> {
    pub word: &'a [u8],
    pub key: &'a [u8],
    pub bump: u8,
}

impl Creation<'_> {
    #[inline(never)]
    pub fn make(&self, account: &AccountView, length: usize, at: &Derived) -> Checked {
        let bump = [at.bump];
        // A seed of no bytes changes nothing in what is hashed.
        let seeds = [Seed::from(at.word), Seed::from(at.key), Seed::from(&bump)];
        let signers = [Signer::from(&seeds)];
        let rent = Rent::get().and_then(|rent| rent.try_minimum_balance(length)).map_err(|_| VaultError::MathOverflow)?;
        let (lamports, space) = (rent.to_le_bytes(), (length as u64).to_le_bytes());
        if account.lamports() == 0 {
            let mut data = [0u8; 52];
            data[0] = CREATE_ACCOUNT;
            data[4..12].copy_from_slice(&lamports);
            data[12..20].copy_from_slice(&space);
            data[20..].copy_from_slice(self.program.as_ref());
            let parties = [Party::writable_signer(self.payer), Party::writable_signer(account)];
            Call::new(&SYSTEM_PROGRAM, &data, &parties).send(&signers);
            return Ok(());
        }
        let missing = rent.saturating_sub(account.lamports());
        if missing > 0 {
            pay(self.payer, account, missing, &[]);
        }
        let own = [Party::writable_signer(account)];
        let mut data = [0u8; 12];
        data[0] = ALLOCATE;
        data[4..].copy_from_slice(&space);
        Call::new(&SYSTEM_PROGRAM, &data, &own).send(&signers);
        let mut data = [0u8; 36];
        data[0] = ASSIGN;
        data[4..].copy_from_slice(self.program.as_ref());
        Call::new(&SYSTEM_PROGRAM, &data, &own).send(&signers);
        Ok(())
    }
}

/// Lamports from an account of the system program.
#[inline(never)]
pub fn pay(from: &AccountView, to: &AccountView, lamports: u64, signers: &[Signer]) {
    let mut data = [0u8; 12];
    data[0] = TRANSFER;
    data[4..].copy_from_slice(&lamports.to_le_bytes());
    Call::new(&SYSTEM_PROGRAM, &data, &[Party::writable_signer(from), Party::writable(to)]).send(signers);
}
