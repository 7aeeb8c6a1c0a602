// The vault program as an Anchor client knows it: its IDL, the vectors of our own codec, and values of the one in the form of the other.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import anchor from "@coral-xyz/anchor";
import { PublicKey } from "@solana/web3.js";

const { BN } = anchor;
export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const idl = read("idl/xorj_vault.json");
export const vectors = read("idl/xorj_vault.vectors.json");

function read(path) {
  return JSON.parse(readFileSync(resolve(root, path), "utf8"));
}

// spend_per_trade to spendPerTrade, VaultAccount to vaultAccount: as Anchor's client renames what the IDL names
export function camel(name) {
  const joined = name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
  return joined[0].toLowerCase() + joined.slice(1);
}

function fieldsOf(name) {
  return idl.types.find((each) => each.name === name).type.fields;
}

// What a vector shows, as the value that Anchor's client takes.
export function toAnchor(type, shown) {
  if (type === "u64" || type === "i64") return new BN(shown);
  if (type === "pubkey") return new PublicKey(shown);
  if (type === "bytes") return Buffer.from(shown, "hex");
  if (typeof type === "string") return shown;
  if (type.option) return shown === null ? null : toAnchor(type.option, shown);
  if (type.vec) return shown.map((item) => toAnchor(type.vec, item));
  if (type.array) return shown.map((item) => toAnchor(type.array[0], item));
  return Object.fromEntries(fieldsOf(type.defined.name).map((field) => [camel(field.name), toAnchor(field.type, shown[field.name])]));
}

// What Anchor's client has read, as a vector shows it.
export function shownOf(type, value) {
  if (type === "u64" || type === "i64") return value.toString();
  if (type === "pubkey") return value.toBase58();
  if (type === "bytes") return Buffer.from(value).toString("hex");
  if (typeof type === "string") return value;
  if (type.option) return value === null ? null : shownOf(type.option, value);
  if (type.vec) return value.map((item) => shownOf(type.vec, item));
  if (type.array) return value.map((item) => shownOf(type.array[0], item));
  return shownFields(fieldsOf(type.defined.name), value);
}

export function shownFields(fields, value) {
  return Object.fromEntries(fields.map((field) => [field.name, shownOf(field.type, value[camel(field.name)])]));
}

export const shownStruct = (name, value) => shownFields(fieldsOf(name), value);
