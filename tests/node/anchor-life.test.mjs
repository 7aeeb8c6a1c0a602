// @coral-xyz/anchor lives the whole life of a vault on a running chain: every step, both states of the bot, every event, real refusals.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import anchor from "@coral-xyz/anchor";
import { Keypair } from "@solana/web3.js";
import { shownStruct } from "./vault.mjs";
import { refusal, TOKEN, tokenAccount, usdc, USDC, World } from "./vault-world.mjs";

const { BN } = anchor;
const world = new World();
let ana;
let owner;

before(async () => {
  await world.begin();
  ana = await world.follower();
  owner = ana.owner.publicKey;
});

after(async () => {
  await world.end();
});

const vault = async () => shownStruct("VaultAccount", await ana.program.account.vaultAccount.fetch(ana.vault));
const only = (events) => {
  assert.equal(events.length, 1);
  return events[0];
};

test("the config is as the upgrade authority made it, and nobody else makes one", async () => {
  const { config: address } = await ana.program.methods.initializeVault().accounts({ owner }).pubkeys();
  const config = await ana.program.account.config.fetch(address);
  assert.ok(config.admin.equals(world.admin.publicKey) && config.baseMint.equals(USDC));
  const again = ana.program.methods.initializeConfig(owner, owner, usdc(1_000), new BN(86_400));
  assert.equal(await refusal(again.accounts({ payer: owner, upgradeAuthority: owner, baseMint: USDC }).rpc()), "NotUpgradeAuthority");
});

test("a vault begins without a bot", async () => {
  await ana.program.methods.initializeVault().accounts({ owner }).rpc();
  const { created_at, bump, ...rest } = await vault();
  assert.deepEqual(rest, { owner: owner.toBase58(), total_deposited: "0", bot_authority: null, is_active: true });
  assert.ok(Number(created_at) > 0 && bump > 0);
  const policy = await ana.program.account.vaultPolicy.fetch(ana.policy);
  assert.ok(policy.vault.equals(ana.vault) && policy.baseMint.equals(USDC));
  assert.deepEqual([policy.spendPerTradeBps, policy.spendPerDayBps, policy.lossPerDayBps], [1_000, 5_000, 2_000]);
});

test("its policy changes in what is given and nothing else", async () => {
  const before = await ana.program.account.vaultPolicy.fetch(ana.policy);
  const signature = await ana.program.methods
    .setPolicy(null, null, usdc(50), null, null, null, null, null, [world.bonk], [])
    .accounts({ owner })
    .rpc();
  const after = await ana.program.account.vaultPolicy.fetch(ana.policy);
  assert.equal(after.lossPerDay.toString(), usdc(50).toString());
  assert.ok(after.slots[0].mint.equals(world.bonk));
  assert.equal(after.spendPerDay.toString(), before.spendPerDay.toString());
  assert.equal(only(await world.eventsOf(signature)).name, "policyChanged");
});

test("a deposit is told by log and by subscription", async () => {
  const listened = new Promise((done) => {
    const number = ana.program.addEventListener("deposited", (event, slot, signature) => done({ number, event, slot, signature }));
  });
  await world.heard();
  const signature = await ana.program.methods.deposit(usdc(500)).accounts(world.depositAccounts(ana)).rpc();
  const event = only(await world.eventsOf(signature));
  assert.equal(event.name, "deposited");
  const { timestamp, ...told } = shownStruct("Deposited", event.data);
  const expected = { vault: ana.vault.toBase58(), owner: owner.toBase58(), mint: USDC.toBase58() };
  assert.deepEqual(told, { ...expected, amount: "500000000", total_deposited: "500000000" });
  const heard = await listened;
  await ana.program.removeEventListener(heard.number);
  assert.equal(heard.signature, signature);
  assert.deepEqual(shownStruct("Deposited", heard.event), { ...told, timestamp });
  assert.equal((await vault()).total_deposited, "500000000");
});

test("what does not fit under the cap is refused by name", async () => {
  const deposit = ana.program.methods.deposit(usdc(501)).accounts(world.depositAccounts(ana));
  assert.equal(await refusal(deposit.rpc()), "DepositCapExceeded");
});

test("a grant makes the bot, which shifts the account's later fields", async () => {
  const before = await vault();
  const signature = await ana.program.methods.grantBotAuthority().accounts({ owner, botAuthority: ana.bot.publicKey }).rpc();
  assert.deepEqual(await vault(), { ...before, bot_authority: ana.bot.publicKey.toBase58() });
  const { data, name } = only(await world.eventsOf(signature));
  assert.equal(name, "authorityChanged");
  assert.ok(data.previous === null && data.current.equals(ana.bot.publicKey));
  const policy = await ana.program.account.vaultPolicy.fetch(ana.policy);
  assert.equal(data.botEpoch.toString(), policy.botEpoch.toString());
  while ((await world.connection.getSlot()) <= policy.botEpoch.toNumber());
});

test("an owner's vault is found by what stands at the front of it", async () => {
  const found = await ana.program.account.vaultAccount.all([{ memcmp: { offset: 8, bytes: owner.toBase58() } }]);
  assert.deepEqual(
    found.map((each) => each.publicKey.toBase58()),
    [ana.vault.toBase58()],
  );
});

test("the bot buys, and says so by log and by a call to itself", async () => {
  const guard = await world.guard(ana, 1);
  const signature = await world.trade(ana, USDC, world.bonk, usdc(50), guard).rpc();
  const { data, name } = only(await world.eventsOf(signature));
  assert.equal(name, "tradeExecuted");
  assert.equal(data.amountIn.toString(), "50000000");
  assert.equal(await world.balance(ana.vault, world.bonk), BigInt(data.amountOut.toString()));
  const { meta, transaction } = await world.transaction(signature);
  const keys = transaction.message.getAccountKeys();
  const inner = meta.innerInstructions.flatMap((each) => each.instructions);
  const own = inner.filter((each) => keys.get(each.programIdIndex).equals(ana.program.programId));
  const bytes = Buffer.from(anchor.utils.bytes.bs58.decode(only(own).data)).subarray(8);
  const copy = ana.program.coder.events.decode(bytes.toString("base64"));
  assert.deepEqual(shownStruct("TradeExecuted", copy.data), shownStruct("TradeExecuted", data));
  assert.equal(await refusal(world.trade(ana, USDC, world.bonk, usdc(50), guard).rpc()), "NonceUsed");
});

test("refusals have the chain's own names, before sending and after landing", async () => {
  const guard = async (nonce) => world.guard(ana, nonce);
  assert.equal(await refusal(world.trade(ana, USDC, world.bonk, usdc(51), await guard(2)).rpc()), "TradeLimitExceeded");
  const eve = { ...ana, bot: Keypair.generate() };
  await world.fund(eve.bot);
  assert.equal(await refusal(world.trade(eve, USDC, world.bonk, usdc(1), await guard(3)).rpc()), "BotAuthorityMismatch");
  const taking = world.programOf(eve.bot).methods.withdraw(usdc(1));
  const accounts = { ...world.withdrawAccounts(ana, USDC), owner: eve.bot.publicKey, vault: ana.vault };
  assert.equal(await refusal(taking.accountsPartial(accounts).rpc()), "ConstraintHasOne");
  assert.equal(await world.failure(eve.bot, taking.accountsPartial(accounts)), "ConstraintHasOne");
});

test("a pause is told with who did it, and only the owner's word ends it", async () => {
  const byBot = world.programOf(ana.bot).methods.pauseVault().accountsPartial({ authority: ana.bot.publicKey, vault: ana.vault });
  const byOwner = ana.program.methods.resumeVault().accounts({ owner });
  for (const [call, authority, paused] of [
    [byBot, ana.bot.publicKey, true],
    [byOwner, owner, false],
  ]) {
    const { data, name } = only(await world.eventsOf(await call.rpc()));
    assert.equal(name, "vaultPaused");
    assert.ok(data.vault.equals(ana.vault) && data.authority.equals(authority));
    assert.equal(data.paused, paused);
  }
});

test("the bot sells, the owner withdraws all of it, takes the bot's right away and closes everything", async () => {
  const held = await world.balance(ana.vault, world.bonk);
  await world.trade(ana, world.bonk, USDC, new BN(held.toString()), await world.guard(ana, 4)).rpc();
  const left = await world.balance(ana.vault, USDC);
  const { methods } = ana.program;
  const signature = await methods
    .withdraw(new BN(left.toString()))
    .accounts(world.withdrawAccounts(ana, USDC))
    .postInstructions([await methods.revokeBotAuthority().accounts({ owner }).instruction()])
    .rpc();
  const [withdrawn, changed] = await world.eventsOf(signature);
  assert.deepEqual([withdrawn.name, withdrawn.data.amount.toString()], ["withdrawn", left.toString()]);
  assert.deepEqual([changed.name, changed.data.current], ["authorityChanged", null]);
  assert.equal((await vault()).bot_authority, null);

  const closing = [ana.vault, ana.tradeAuthority].flatMap((authority) => [USDC, world.bonk].map((mint) => [authority, mint]));
  const closed = closing.map(([authority, mint]) =>
    methods
      .closeTokenAccount()
      .accounts({ owner, authority, tokenAccount: tokenAccount(authority, mint), tokenProgram: TOKEN })
      .instruction(),
  );
  await methods
    .closeVault()
    .accounts({ owner })
    .preInstructions(await Promise.all(closed))
    .rpc();
  assert.equal(await ana.program.account.vaultAccount.fetchNullable(ana.vault), null);
  assert.equal(await ana.program.account.vaultPolicy.fetchNullable(ana.policy), null);
  assert.equal(await world.balance(owner, USDC), 500_000_000n + left);
});

test("a vault made anew is deactivated, which is told", async () => {
  await ana.program.methods.initializeVault().accounts({ owner }).rpc();
  const { data, name } = only(await world.eventsOf(await ana.program.methods.deactivateVault().accounts({ owner }).rpc()));
  assert.equal(name, "vaultDeactivated");
  assert.ok(data.vault.equals(ana.vault) && data.owner.equals(owner));
  assert.equal((await vault()).is_active, false);
});
