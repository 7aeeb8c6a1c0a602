//! A list with room for N on the heap. The target cannot grow a Vec: its capacity arithmetic needs 128 bits.

use alloc::boxed::Box;
use core::{mem::MaybeUninit, slice::from_raw_parts};

pub struct Bounded<T, const N: usize> {
    items: Box<[MaybeUninit<T>; N]>,
    length: usize,
}

impl<T, const N: usize> Bounded<T, N> {
    pub fn new() -> Self {
        // SAFETY: an array of what need not be initialized need not be initialized.
        let items = unsafe { Box::<[MaybeUninit<T>; N]>::new_uninit().assume_init() };
        Self { items, length: 0 }
    }

    /// False when there is no room.
    #[must_use]
    pub fn push(&mut self, item: T) -> bool {
        match self.items.get_mut(self.length) {
            None => false,
            Some(place) => {
                place.write(item);
                self.length += 1;
                true
            }
        }
    }

    pub fn as_slice(&self) -> &[T] {
        // SAFETY: the first `length` items have been written.
        unsafe { from_raw_parts(self.items.as_ptr().cast(), self.length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_as_many_as_it_has_room_for() {
        let mut list = Bounded::<u64, 2>::new();
        assert_eq!((list.push(7), list.push(8), list.push(9)), (true, true, false));
        assert_eq!(list.as_slice(), [7, 8]);
    }
}
