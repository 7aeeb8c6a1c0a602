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
