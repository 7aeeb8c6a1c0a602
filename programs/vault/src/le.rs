//! Little-endian integers as bytes, so that account structs have no padding and no alignment.

macro_rules! little_endian {
    ($name:ident, $int:ty, $size:literal) => {
        #[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
        #[repr(transparent)]
        pub struct $name([u8; $size]);

        impl $name {
            #[inline(always)]
            pub fn get(&self) -> $int {
                <$int>::from_le_bytes(self.0)
            }

            #[inline(always)]
            pub fn set(&mut self, value: $int) {
                self.0 = value.to_le_bytes();
            }
        }
    };
}

little_endian!(U16, u16, 2);
little_endian!(U64, u64, 8);
little_endian!(I64, i64, 8);

/// A number of 1, 2, 4 or 8 bytes.
#[inline(never)]
pub fn number(bytes: &[u8]) -> u64 {
    match *bytes {
        [a] => a.into(),
        [a, b] => u16::from_le_bytes([a, b]).into(),
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]).into(),
        _ => bytes.first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight)),
    }
}
