//! The mints that a vault may hold: sixteen slots, each with what was bought and what it cost.

use super::policy::{Policy, ALLOWLIST};
use crate::{
    accounts::{same_rarely, set},
    budget,
    constants::SYSTEM_PROGRAM,
    error::{require, Checked, VaultError},
    le::{I64, U64},
};
use core::num::NonZeroU64;
use pinocchio::{address::address_eq, Address};

pub const SLOTS: usize = 16;
/// How many mints one set_policy puts on the list, and how many it takes off.
pub const MINTS_A_CALL_MAX: usize = SLOTS;

/// One mint the vault may hold. Free when the mint is all zeroes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct PositionSlot {
    pub mint: Address,
    /// Block time from which the allowlist lets it be bought; 0: not pinned.
    pub pinned_from: I64,
    /// Units bought by trades and still held.
    pub units: U64,
    /// What those units cost, in base units of the base mint.
    pub base_cost: U64,
}

/// What set_policy does to the list of mints.
pub struct Mints<'a> {
    pub pin: &'a [Address],
    pub unpin: &'a [Address],
    /// Block time from which what is pinned may be bought.
    pub from: i64,
    pub now: i64,
}

impl Policy {
    /// The slot of a mint; that of all zeroes is the first free one.
    #[inline(always)]
    pub fn slot_of(&mut self, mint: &Address) -> Option<&mut PositionSlot> {
        self.slot_from(worth_a_look(&self.slots, start_of(mint)), mint)
    }

    #[inline(never)]
    fn slot_from(&mut self, from: usize, mint: &Address) -> Option<&mut PositionSlot> {
        self.slots.get_mut(from..)?.iter_mut().find(|slot| address_eq(&slot.mint, mint))
    }

    /// The slot that a trade of `mint` is booked in, at block time `now`; none where nothing is known of what is sold. The allowlist lets
    /// listed mints be bought, and listed and held ones be sold; without it a first buy takes a free slot.
    #[inline(never)]
    pub fn check_mint(&mut self, mint: &Address, now: i64, is_buy: bool) -> Checked {
        if let Some(slot) = self.slot_of(mint) {
            let is_allowed = slot.is_listed(now) || !is_buy && slot.units.get() > 0;
            return require(is_allowed || self.mint_mode != ALLOWLIST, VaultError::MintNotAllowed);
        }
        require(self.mint_mode != ALLOWLIST, VaultError::MintNotAllowed)?;
        if is_buy {
            let free = self.slot_of(&SYSTEM_PROGRAM).ok_or(VaultError::NoFreeSlot)?;
            set(&mut free.mint, mint);
        }
        Ok(())
    }

    /// Books what happened: a buy adds units at cost, a sale below cost is charged to the day's losses.
    #[inline(always)]
    pub fn book(&mut self, mint: &Address, is_buy: bool, amount_in: u64, amount_out: u64, total_deposited: u64) -> Checked {
        let basis = if is_buy { 0 } else { self.loss_basis(total_deposited) };
        let Some(slot) = self.slot_of(mint) else { return Ok(()) };
        if is_buy {
            return slot.add(amount_out, amount_in);
        }
        let cost = slot.sell(amount_in);
        self.charge_loss(cost.saturating_sub(amount_out), basis)
    }

    /// Puts mints on the list. A slot is reserved at once. A mint that is listed already stays so; a request that is still pending starts its
    /// clock again.
    #[inline(never)]
    pub fn pin(&mut self, mints: &Mints) -> Checked {
        // No slot before it is free.
        let mut free = 0;
        for mint in mints.pin {
            let start = start_of(mint);
            // Spares the call where nothing can be wrong.
            if start == start_of(&self.base_mint) || start == 0 || !mints.unpin.is_empty() {
                self.check_pin(mint, mints.unpin)?;
            }
            let from = worth_a_look(&self.slots, start);
            if from < SLOTS {
                if let Some(slot) = self.slot_from(from, mint) {
                    if !slot.is_listed(mints.now) {
                        slot.pinned_from.set(mints.from);
                    }
                    continue;
                }
            }
            let slot = loop {
                let slot = self.slots.get_mut(free).ok_or(VaultError::NoFreeSlot)?;
                free = free.wrapping_add(1);
                if address_eq(&slot.mint, &SYSTEM_PROGRAM) {
                    break slot;
                }
            };
            slot.mint = *mint;
            slot.pinned_from.set(mints.from);
        }
        Ok(())
    }

    /// The base mint is no position, zeroes are no mint, and nothing is put on the list and taken off it at once.
    #[inline(never)]
    fn check_pin(&self, mint: &Address, unpinned: &[Address]) -> Checked {
        let is_none = same_rarely(mint, &self.base_mint) || same_rarely(mint, &SYSTEM_PROGRAM);
        require(!is_none && !unpinned.iter().any(|other| same_rarely(mint, other)), VaultError::PolicyValueInvalid)
    }

    /// Takes mints off the list. What is held may still be sold. The address of zeroes finds a free slot, which stays free.
    #[inline(never)]
    pub fn unpin(&mut self, mints: &[Address]) {
        for mint in mints {
            if let Some(slot) = self.slot_of(mint) {
                slot.pinned_from.set(0);
                if slot.units.get() == 0 {
                    slot.free();
                }
            }
        }
    }

    /// What the loss cap's share counts: the larger of deposits and the cost of all that is held.
    #[inline(never)]
    pub fn loss_basis(&self, total_deposited: u64) -> u64 {
        let held = self.slots.iter().fold(0u64, |sum, slot| sum.saturating_add(slot.base_cost.get()));
        held.max(total_deposited)
    }
}

/// The bytes by which one mint is mostly told from another.
#[inline(always)]
fn start_of(mint: &Address) -> u64 {
    mint.as_array().first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

/// The first four slots of which one's mint begins so, by the first of them; past the end when none does. Written out, because a loop
/// takes twice the units, and this is most of what a list of mints costs.
#[inline(never)]
fn worth_a_look(slots: &[PositionSlot; SLOTS], start: u64) -> usize {
    macro_rules! look {
        ($($a:literal $b:literal $c:literal $d:literal;)*) => {
            $(if start_of(&slots[$a].mint) == start
                || start_of(&slots[$b].mint) == start
                || start_of(&slots[$c].mint) == start
                || start_of(&slots[$d].mint) == start
            {
                return $a;
            })*
        };
    }
    look! { 0 1 2 3; 4 5 6 7; 8 9 10 11; 12 13 14 15; }
    SLOTS
}

impl PositionSlot {
    fn is_listed(&self, now: i64) -> bool {
        self.pinned_from.get() != 0 && now >= self.pinned_from.get()
    }

    #[inline(always)]
    pub fn add(&mut self, units: u64, cost: u64) -> Checked {
        self.units.set(self.units.get().checked_add(units).ok_or(VaultError::MathOverflow)?);
        self.base_cost.set(self.base_cost.get().checked_add(cost).ok_or(VaultError::MathOverflow)?);
        Ok(())
    }

    /// Takes up to `units` out of the known ones and returns their cost, rounded up: what is sold bears the rounding.
    #[inline(always)]
    pub fn sell(&mut self, units: u64) -> u64 {
        self.take(units.min(self.units.get()), true)
    }

    /// The owner took `taken` units out and `left` remain in that account. Known units fall only as far as they must, and their cost is
    /// rounded so that what remains keeps the larger part.
    #[inline(always)]
    pub fn withdraw(&mut self, taken: u64, left: u64) {
        self.take(taken.min(self.units.get().saturating_sub(left)), false);
    }

    /// Takes known units out, at most all of them, and returns their part of the cost.
    #[inline(never)]
    fn take(&mut self, units: u64, round_up: bool) -> u64 {
        let (held, cost) = (self.units.get(), self.base_cost.get());
        let Some(all) = NonZeroU64::new(held) else { return 0 };
        let part = budget::part(cost, units, all, round_up);
        // Neither is more than the whole.
        self.units.set(held.wrapping_sub(units));
        self.base_cost.set(cost.wrapping_sub(part));
        if self.units.get() == 0 && self.pinned_from.get() == 0 {
            self.free();
        }
        part
    }

    #[inline(always)]
    fn free(&mut self) {
        self.mint = SYSTEM_PROGRAM;
        self.base_cost.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::ANY_MINT;

    fn policy() -> Box<Policy> {
        let mut policy: Box<Policy> = Box::new(unsafe { core::mem::zeroed() });
        policy.loosening_delay.set(3_600);
        policy
    }

    fn mint(byte: u8) -> Address {
        Address::new_from_array([byte; 32])
    }

    /// Where the trade would be booked, or why it may not be.
    fn place(policy: &mut Policy, byte: u8, now: i64, is_buy: bool) -> Result<usize, u64> {
        let found = policy.check_mint(&mint(byte), now, is_buy);
        let place = policy.slots.iter().position(|slot| slot.mint == mint(byte));
        found.map(|()| place.expect("a slot")).map_err(|fault| fault.code())
    }

    fn pin(policy: &mut Policy, byte: u8, from: i64, now: i64) {
        policy.pin(&Mints { pin: &[mint(byte)], unpin: &[], from, now }).unwrap();
    }

    const NOT_ALLOWED: Result<usize, u64> = Err(VaultError::MintNotAllowed.code());

    #[test]
    fn a_later_pin_of_a_listed_mint_changes_nothing() {
        let mut policy = policy();
        pin(&mut policy, 1, 1, 1);
        pin(&mut policy, 1, 5_000, 2);
        assert_eq!(place(&mut policy, 1, 2, true), Ok(0));
    }

    #[test]
    fn a_pending_pin_cannot_be_bought_and_starts_again_when_asked_again() {
        let mut policy = policy();
        pin(&mut policy, 1, 100, 1);
        assert_eq!(place(&mut policy, 1, 99, true), NOT_ALLOWED);
        pin(&mut policy, 1, 200, 99);
        assert_eq!(place(&mut policy, 1, 199, true), NOT_ALLOWED);
        assert_eq!(place(&mut policy, 1, 200, true), Ok(0));
    }

    #[test]
    fn mints_that_begin_alike_are_told_apart() {
        let alike = |last: u8| {
            let mut bytes = [1; 32];
            bytes[31] = last;
            Address::new_from_array(bytes)
        };
        let mut policy = policy();
        policy.base_mint = alike(200);
        for last in 0..SLOTS as u8 {
            policy.pin(&Mints { pin: &[alike(last)], unpin: &[], from: 1, now: 1 }).unwrap();
        }
        for last in 0..SLOTS as u8 {
            assert!(policy.slot_of(&alike(last)).is_some_and(|slot| slot.mint == alike(last)), "{last}");
        }
        assert!(policy.slot_of(&alike(100)).is_none());
        policy.unpin(&[alike(100), alike(7)]);
        let left: Vec<bool> = (0..SLOTS as u8).map(|last| policy.slot_of(&alike(last)).is_some()).collect();
        assert_eq!(left.iter().filter(|is_there| !**is_there).count(), 1);
        assert!(!left[7]);
        let begins_with_zeroes = Address::new_from_array([[0; 31].as_slice(), &[1]].concat().try_into().unwrap());
        policy.pin(&Mints { pin: &[begins_with_zeroes], unpin: &[], from: 1, now: 1 }).unwrap();
        assert!(policy.slots[7].mint == begins_with_zeroes);
    }

    #[test]
    fn any_mint_takes_a_free_slot_and_gives_it_back() {
        let mut policy = policy();
        policy.mint_mode = ANY_MINT;
        for byte in 1..=16 {
            let index = place(&mut policy, byte, 0, true).unwrap();
            policy.slots[index].add(10, 100).unwrap();
        }
        assert_eq!(place(&mut policy, 17, 0, true), Err(VaultError::NoFreeSlot.code()));
        assert_eq!(policy.slots[4].sell(10), 100);
        assert_eq!(place(&mut policy, 17, 0, true), Ok(4));
    }

    #[test]
    fn an_unlisted_mint_that_is_held_may_still_be_sold() {
        let mut policy = policy();
        pin(&mut policy, 1, 1, 1);
        policy.slots[0].add(10, 100).unwrap();
        policy.unpin(&[mint(1)]);
        assert_eq!(place(&mut policy, 1, 9, true), NOT_ALLOWED);
        assert_eq!(place(&mut policy, 1, 9, false), Ok(0));
        policy.slots[0].sell(10);
        assert_eq!(place(&mut policy, 1, 9, false), NOT_ALLOWED);
    }

    #[test]
    fn parts_of_a_sale_never_cost_less_than_the_whole() {
        let mut slot = PositionSlot { mint: mint(1), pinned_from: I64::default(), units: U64::default(), base_cost: U64::default() };
        slot.add(7, 100).unwrap();
        let parts: Vec<u64> = (0..7).map(|_| slot.sell(1)).collect();
        assert_eq!(parts.iter().sum::<u64>(), 100);
        assert_eq!(parts[0], 15, "rounded up at first");
        assert_eq!(slot.sell(5), 0, "unknown units cost nothing");
    }

    #[test]
    fn what_the_owner_takes_leaves_the_cost_of_the_rest() {
        let slot = |units, cost| {
            let mut slot = PositionSlot { mint: mint(1), pinned_from: I64::default(), units: U64::default(), base_cost: U64::default() };
            slot.add(units, cost).unwrap();
            slot
        };
        let cases = [
            // units, cost, taken, left -> units, cost
            ((100, 50, 30, 70), (70, 35)),
            ((3, 10, 1, 2), (2, 7)),
            ((100, 50, 100, 100), (100, 50)),
            ((100, 50, 1, 0), (99, 50)),
            ((100, 50, 100, 0), (0, 0)),
        ];
        for ((units, cost, taken, left), expected) in cases {
            let mut slot = slot(units, cost);
            slot.withdraw(taken, left);
            assert_eq!((slot.units.get(), slot.base_cost.get()), expected);
        }
    }
}
