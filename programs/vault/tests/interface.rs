//! The program against its interface: idl/xorj_vault.json, which is generated from src/xorj/vault/interface.py. Discriminators, error
//! numbers, account layouts and compiled-in limits are declared there once; here they are compared with what the code has.

#![allow(clippy::indexing_slicing)] // a missing field is a failed test, which is what a panic says

use serde_json::Value;
use std::{collections::BTreeMap, fs, mem::offset_of};
use xorj_vault::{
    budget::{BUCKETS, BUCKET_SECONDS},
    constants::*,
    error::VaultError,
    events, nonce,
    state::{Config, PendingValue, Policy, PositionSlot, Vault, SLOTS},
    tag,
};

fn idl() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../idl/xorj_vault.json");
    serde_json::from_str(&fs::read_to_string(path).expect("idl/xorj_vault.json")).expect("the IDL is JSON")
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().unwrap_or_else(|| panic!("{name} is a list"))
}

fn name(value: &Value) -> &str {
    value["name"].as_str().expect("a name")
}

fn discriminators(value: &Value) -> BTreeMap<String, [u8; 8]> {
    let bytes = |each: &Value| -> Vec<u8> { list(each, "discriminator").iter().map(|byte| byte.as_u64().expect("a byte") as u8).collect() };
    value.as_array().expect("a list").iter().map(|each| (name(each).to_owned(), bytes(each).try_into().expect("8 bytes"))).collect()
}

/// Bytes of a type, by the structs of the IDL.
fn size(kind: &Value, structs: &BTreeMap<&str, &Value>) -> usize {
    if let Some(word) = kind.as_str() {
        return match word {
            "u8" | "bool" => 1,
            "u16" => 2,
            "u64" | "i64" => 8,
            "pubkey" => 32,
            other => panic!("{other} has no fixed size"),
        };
    }
    if let Some(array) = kind["array"].as_array() {
        return size(&array[0], structs) * array[1].as_u64().expect("a count") as usize;
    }
    let fields = list(&structs[name(&kind["defined"])]["type"], "fields");
    fields.iter().map(|field| size(&field["type"], structs)).sum()
}

/// Name and offset of every field of an account or struct, the first at `start`.
fn offsets(idl: &Value, of: &str, start: usize) -> Vec<(String, usize)> {
    let structs: BTreeMap<&str, &Value> = list(idl, "types").iter().map(|each| (name(each), each)).collect();
    let mut at = start;
    let mut all = Vec::new();
    for field in list(&structs[of]["type"], "fields") {
        all.push((name(field).to_owned(), at));
        at += size(&field["type"], &structs);
    }
    all.push(("end".to_owned(), at));
    all
}

macro_rules! laid_out {
    ($type:ty: $($field:ident)*) => {
        vec![$((stringify!($field).to_owned(), offset_of!($type, $field)),)* ("end".to_owned(), size_of::<$type>())]
    };
}

#[test]
fn every_instruction_has_its_discriminator() {
    let declared = discriminators(&idl()["instructions"]);
    let mut known: BTreeMap<String, [u8; 8]> = tag::ALL.iter().map(|(name, tag)| (name.to_lowercase(), tag.to_le_bytes())).collect();
    assert_eq!(known.remove("event"), Some([0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d]));
    assert_eq!(known, declared);
}

#[test]
fn accounts_and_events_have_theirs() {
    let accounts = [("VaultAccount", Vault::DISCRIMINATOR), ("VaultPolicy", Policy::DISCRIMINATOR), ("Config", Config::DISCRIMINATOR)];
    let known = |pairs: &[(&str, [u8; 8])]| pairs.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect::<BTreeMap<_, _>>();
    assert_eq!(known(&accounts), discriminators(&idl()["accounts"]));
    assert_eq!(known(&events::DISCRIMINATORS), discriminators(&idl()["events"]));
}

#[test]
fn every_error_has_its_number() {
    let declared: Vec<(String, u64)> =
        list(&idl(), "errors").iter().map(|each| (name(each).to_owned(), each["code"].as_u64().expect("a code"))).collect();
    let known: Vec<(String, u64)> = VaultError::ALL.iter().map(|(name, error)| ((*name).to_owned(), error.code())).collect();
    assert_eq!(known, declared);
}

#[test]
fn every_field_of_the_policy_stands_where_it_is_declared() {
    let declared = offsets(&idl(), "VaultPolicy", 8);
    let laid_out = laid_out!(Policy: version vault base_mint trade_authority bump trade_authority_bump paused was_granted bot_epoch nonce_base
        nonce_bitmap spend_per_trade spend_per_day loss_per_day spend_per_trade_bps spend_per_day_bps loss_per_day_bps bot_expires_at mint_mode
        window_hour spend_buckets loss_buckets slots pending loosening_delay reserved);
    // The eight pending loosenings are one array here and eight fields there, in the order of the limits.
    let first = declared.iter().position(|(name, _)| name.starts_with("pending_")).expect("pending fields");
    let mut expected = declared.clone();
    expected.drain(first + 1..first + 8);
    expected[first].0 = "pending".to_owned();
    assert_eq!(laid_out, expected);
    assert_eq!(Policy::LEN, size_of::<Policy>());
}

#[test]
fn so_do_those_of_the_config_and_of_the_structs() {
    let config = laid_out!(Config: version bump paused routers pending_routers routers_effective_at admin pending_admin guardian base_mint
        vault_cap loosening_delay reserved);
    assert_eq!(config, offsets(&idl(), "Config", 8));
    assert_eq!(laid_out!(PositionSlot: mint pinned_from units base_cost), offsets(&idl(), "PositionSlot", 0));
    assert_eq!(laid_out!(PendingValue: effective_at value), offsets(&idl(), "PendingValue", 0));
}

#[test]
fn what_is_compiled_in_is_what_is_declared() {
    let known: [(&str, u64); 13] = [
        ("DEPOSIT_CEILING", DEPOSIT_CEILING),
        ("POSITION_SLOTS", SLOTS as u64),
        ("WINDOW_BUCKETS", BUCKETS as u64),
        ("BUCKET_SECONDS", BUCKET_SECONDS),
        ("NONCE_WINDOW", nonce::WINDOW),
        ("NONCE_REACH", nonce::REACH),
        ("DEADLINE_SLOTS_MAX", DEADLINE_SLOTS_MAX),
        ("ROUTE_ACCOUNTS_MAX", ROUTE_ACCOUNTS_MAX as u64),
        ("BOT_LIFETIME_SECONDS", BOT_LIFETIME_SECONDS as u64),
        ("LOOSENING_DELAY_SECONDS_MIN", LOOSENING_DELAY_SECONDS_MIN as u64),
        ("LOOSENING_DELAY_SECONDS_MAX", LOOSENING_DELAY_SECONDS_MAX as u64),
        ("ROUTER_DELAY_SECONDS", ROUTER_DELAY_SECONDS as u64),
        ("ROUTE_DATA_BYTES_MAX", ROUTE_DATA_BYTES_MAX as u64),
    ];
    let document = idl();
    let declared: Vec<(&str, u64)> = list(&document, "constants")
        .iter()
        .map(|each| (name(each), each["value"].as_str().expect("a value").parse().expect("a number")))
        .collect();
    assert_eq!(known.to_vec(), declared);
    assert_eq!(PROGRAM_ID.to_string(), document["address"].as_str().expect("an address"));
}
