// Every JavaScript example of docs/runbooks, and of the how-to for other clients, is run in its order on a running chain, and prints what
// stands below it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import anchor from "@coral-xyz/anchor";
import { Keypair, PublicKey, SystemProgram } from "@solana/web3.js";
import { idl, root } from "./vault.mjs";
import { derived, refusal, TOKEN, tokenAccount, usdc, USDC, World } from "./vault-world.mjs";

const { BN } = anchor;
const { bs58 } = anchor.utils.bytes;
const folder = resolve(root, "docs/runbooks");
const howTo = "../how-to/use-the-vault-from-another-client.md";
const world = new World();

before(async () => {
  await world.begin();
});

after(async () => {
  await world.end();
});

// The examples of a runbook, each with what should be printed; a block may be indented as part of a list.
function examplesOf(name) {
  const text = readFileSync(resolve(folder, name), "utf8");
  const blocks = text.matchAll(/^( *)```js\n(.*?)^\1```\n(?:^\1```text\n(.*?)^\1```\n)?/gms);
  return [...blocks].map(([, , code, printed]) => ({ code, printed: printed?.replace(/^ +/gm, "").trimEnd() }));
}

async function printed(code, scope) {
  const lines = [];
  const console = { log: (...words) => lines.push(words.map(String).join(" ")) };
  const run = new Function(...Object.keys(scope), "console", `return (async () => {\n${code}\n})();`);
  await run(...Object.values(scope), console);
  return lines.join("\n");
}

// The names that the examples use.
async function scopeOf(follower) {
  const [newBot, newAdminKey, newGuardianKey] = [Keypair.generate(), Keypair.generate(), Keypair.generate()];
  await world.fund(newAdminKey, newGuardianKey);
  return {
    ...{
      anchor,
      idl,
      wallet: new anchor.Wallet(follower.owner),
      program: follower.program,
      BN,
      bs58,
      connection: world.connection,
      PublicKey,
      SystemProgram,
      TOKEN,
      tokenAccount,
      USDC,
      bonk: world.bonk,
    },
    ...{ owner: follower.owner.publicKey, bot: follower.bot.publicKey, admin: world.admin.publicKey, guardian: world.guardian.publicKey },
    ...{ newBot: newBot.publicKey, newAdmin: newAdminKey.publicKey, newGuardian: newGuardianKey.publicKey, newAdminKey },
    ...{ vault: follower.vault, policy: follower.policy, tradeAuthority: follower.tradeAuthority },
    config: derived(follower.program.programId, Buffer.from("config")),
    ownerProgram: follower.program,
    botProgram: world.programOf(follower.bot),
    adminProgram: world.programOf(world.admin),
    guardianProgram: world.programOf(world.guardian),
    newAdminProgram: world.programOf(newAdminKey),
    newGuardianKey,
  };
}

async function follow(name, follower) {
  const scope = await scopeOf(follower);
  const examples = examplesOf(name);
  assert.ok(examples.length > 0, `${name} has no example`);
  for (const { code, printed: expected } of examples) {
    assert.ok(expected !== undefined, `an example of ${name} does not say what it prints:\n${code}`);
    assert.equal(await printed(code, scope), expected, code);
  }
  return scope;
}

const buys = async (follower, nonce, amount = 50) =>
  world.trade(follower, USDC, world.bonk, usdc(amount), await world.guard(follower, nonce)).rpc();

// The office changes hands in some: whoever runs after must know.
function takeOffice(scope) {
  world.admin = scope.newAdminKey;
  world.guardian = scope.newGuardianKey;
}

test("another client: from the IDL to a deposit, a refusal and an event", async () => {
  await follow(howTo, await world.follower());
});

test("key rotation: the old keys can do nothing any more", async () => {
  const ana = await world.followerWithBot();
  const scope = await follow("key-rotation.md", ana);
  assert.equal(await refusal(buys(ana, 1)), "BotAuthorityMismatch");
  const asBefore = scope.guardianProgram.methods.updateConfig(null, null, null, null, true, null).accounts({ authority: scope.guardian });
  assert.equal(await refusal(asBefore.rpc()), "ConstraintHasOne");
  takeOffice(scope);
});

test("pausing: nothing trades while it lasts, and trades go on after it", async () => {
  const ana = await world.followerWithBot();
  await world.programOf(ana.bot).methods.pauseVault().accountsPartial({ authority: ana.bot.publicKey, vault: ana.vault }).rpc();
  assert.equal(await refusal(buys(ana, 1)), "VaultPaused");
  const resumes = world.programOf(ana.bot).methods.resumeVault().accountsPartial({ owner: ana.bot.publicKey, vault: ana.vault });
  assert.equal(await refusal(resumes.rpc()), "ConstraintHasOne", "only the owner");
  await follow("pausing.md", ana);
  await buys(ana, 1, 40);
});

test("deactivating: what was held comes out, and the vault can be made anew", async () => {
  const ana = await world.followerWithBot();
  await buys(ana, 1);
  const held = await world.balance(ana.vault, world.bonk);
  await follow("deactivating.md", ana);
  assert.equal(await world.balance(ana.owner.publicKey, world.bonk), held);
});

test("a stuck token account: what strangers sent to the trade authority comes back", async () => {
  const ana = await world.followerWithBot();
  await world.hands(ana.tradeAuthority, world.bonk, 777);
  await world.handsElsewhere(ana.vault, USDC, 5_000_000);
  const gift = { fromPubkey: world.mintAuthority.publicKey, toPubkey: ana.tradeAuthority, lamports: 1_000_000 };
  await world.send([SystemProgram.transfer(gift)], world.mintAuthority);
  await follow("stuck-token-account.md", ana);
});

test("a compromised bot: paused by the stolen key itself, revoked, its trades burnt", async () => {
  const ana = await world.followerWithBot();
  await buys(ana, 1);
  await follow("compromised-bot.md", ana);
  const trade = world.trade(ana, USDC, world.bonk, usdc(50), await world.guard(ana, 2));
  assert.equal(await refusal(trade.rpc()), "BotAuthorityNotSet");
});

test("a compromised admin: the office is taken away, and owners leave all the while", async () => {
  const ana = await world.followerWithBot();
  const scope = await follow("compromised-admin.md", ana);
  const asBefore = scope.adminProgram.methods.updateConfig(null, null, null, null, false, null).accounts({ authority: scope.admin });
  assert.equal(await refusal(asBefore.rpc()), "ConstraintHasOne");
  takeOffice(scope);
});

test("every runbook is followed here", () => {
  const followed = readFileSync(new URL(import.meta.url), "utf8").matchAll(/follow\("([\w-]+\.md)"/g);
  assert.deepEqual([...followed].map(([, name]) => name).sort(), readdirSync(folder).sort());
});
