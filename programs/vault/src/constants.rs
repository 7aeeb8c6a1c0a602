//! What is compiled in. Changing any of these is another binary with another hash.

use pinocchio::Address;

/// No vault ever holds more deposits than this, whatever the config says: 1,000 USDC.
pub const DEPOSIT_CEILING: u64 = 1_000_000_000;
pub const BASE_MINT_DECIMALS: u8 = 6;

pub const BOT_LIFETIME_SECONDS: i64 = 30 * 24 * 3_600;
pub const LOOSENING_DELAY_SECONDS_MIN: i64 = 3_600;
pub const LOOSENING_DELAY_SECONDS_MAX: i64 = 90 * 24 * 3_600;
pub const ROUTER_DELAY_SECONDS: i64 = 24 * 3_600;
pub const DEADLINE_SLOTS_MAX: u64 = 512;
pub const ROUTE_ACCOUNTS_MAX: usize = 50;
pub const ROUTE_DATA_BYTES_MAX: usize = 1_024;
pub const BPS_PER_ONE: u64 = 10_000;

/// Limits of a new vault.
pub const SPEND_PER_TRADE: u64 = DEPOSIT_CEILING / 10;
pub const SPEND_PER_DAY: u64 = DEPOSIT_CEILING / 2;
pub const LOSS_PER_DAY: u64 = DEPOSIT_CEILING / 5;
pub const SPEND_PER_TRADE_BPS: u16 = 1_000;
pub const SPEND_PER_DAY_BPS: u16 = 5_000;
pub const LOSS_PER_DAY_BPS: u16 = 2_000;

/// The first seed of an address.
pub type Word = &'static [u8];
pub static VAULT_SEED: Word = b"vault";
pub static POLICY_SEED: Word = b"policy";
pub static TRADE_SEED: Word = b"trade";
pub static CONFIG_SEED: Word = b"config";
pub static EVENT_AUTHORITY_SEED: Word = b"__event_authority";
/// For an address whose one seed is a key.
pub static NO_WORD: Word = b"";

pub const PROGRAM_ID: Address = Address::from_str_const("5B8QtPsScaQsw392vnGnUaoiRQ8gy5LzzKdNeXe4qghR");
/// Derived from the program's id; a host test derives it again.
pub const EVENT_AUTHORITY: Address = Address::from_str_const("Gy51BfKgtHQArDnX2UEKrSagJtCzy9osQQ8TevVPjjFX");
pub const EVENT_AUTHORITY_BUMP: u8 = 255;

pub const SYSTEM_PROGRAM: Address = Address::new_from_array([0; 32]);
pub const TOKEN_PROGRAM: Address = Address::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
pub const TOKEN_2022_PROGRAM: Address = Address::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
pub const UPGRADEABLE_LOADER: Address = Address::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");

/// Entry i is bit i of Config.routers.
#[cfg(not(feature = "devnet"))]
pub const ROUTERS: [Address; 1] = [Address::from_str_const("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4")];
#[cfg(feature = "devnet")]
pub const ROUTERS: [Address; 1] = [Address::from_str_const(match option_env!("XORJ_DEVNET_ROUTER") {
    Some(id) => id,
    None => panic!("set XORJ_DEVNET_ROUTER to the id that local_router is deployed under"),
})];
pub const ROUTERS_MASK: u8 = (1 << ROUTERS.len()) - 1;
