// A fresh local chain with a base mint, the vault program's config and a market of one pool, and people who use it through Anchor's client.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import anchor from "@coral-xyz/anchor";
import {
  Connection,
  Keypair,
  LAMPORTS_PER_SOL,
  PublicKey,
  SendTransactionError,
  SystemProgram,
  SYSVAR_RENT_PUBKEY,
  Transaction,
  TransactionInstruction,
} from "@solana/web3.js";
import { hangUp, startLocalChain, subscribed } from "./local-chain.mjs";
import { idl } from "./vault.mjs";

const { AnchorError, AnchorProvider, BN, EventParser, LangErrorCode, Program, Wallet, translateError } = anchor;

export const TOKEN = new PublicKey("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
export const USDC = new PublicKey("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v");
const ASSOCIATED = new PublicKey("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
const ROUTER = new PublicKey("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4");
const POOLS = new PublicKey("Loca1Amm11111111111111111111111111111111111");
const ROUTE_V2 = "bb64facc31c4af14";
const ONE_STEP_THROUGH_A_POOL = "031027" + "0001"; // variant 3, 10000 bps, input 0, output 1
const MINT_BYTES = 82;
const ACCOUNT_BYTES = 165;
const RESERVE = 100_000_000_000n;

export const usdc = (whole) => new BN(whole * 1_000_000);
export const derived = (program, ...seeds) => PublicKey.findProgramAddressSync(seeds, program)[0];
export const tokenAccount = (owner, mint) => derived(ASSOCIATED, owner.toBytes(), TOKEN.toBytes(), mint.toBytes());

// The local chain's own keys come from public seeds: what they own is worthless.
function localKey(name) {
  return Keypair.fromSeed(createHash("sha256").update(`xorj local chain, worthless: ${name}`).digest());
}

export class World {
  upgradeAuthority = localKey("upgrade authority");
  mintAuthority = localKey("mint authority");
  admin = Keypair.generate();
  guardian = Keypair.generate();

  async begin() {
    this.chain = await startLocalChain();
    this.connection = new Connection(this.chain.url, "confirmed");
    await this.fund(this.upgradeAuthority, this.mintAuthority, this.admin, this.guardian);
    await this.configure();
    await this.openMarket();
  }

  // Also when it began only in part.
  async end() {
    hangUp(this.connection);
    await this.chain?.stop();
  }

  async heard() {
    await subscribed(this.connection);
  }

  // Anchor's client, in the hands of this person.
  programOf(person) {
    const provider = new AnchorProvider(this.connection, new Wallet(person), { commitment: "confirmed", preflightCommitment: "confirmed" });
    return new Program(idl, provider);
  }

  async fund(...people) {
    const latest = await this.connection.getLatestBlockhash();
    const asked = people.map((person) => this.connection.requestAirdrop(person.publicKey, 10 * LAMPORTS_PER_SOL));
    await Promise.all(asked.map(async (one) => this.connection.confirmTransaction({ signature: await one, ...latest })));
  }

  // By a blockhash of this moment: web3.js itself keeps one for 30 seconds, and on this fast chain it is dead after 8.
  async send(instructions, ...signers) {
    const latest = await this.connection.getLatestBlockhash();
    const transaction = new Transaction({ feePayer: signers[0].publicKey, ...latest }).add(...instructions);
    transaction.sign(...signers);
    const signature = await this.connection.sendRawTransaction(transaction.serialize());
    const { value } = await this.connection.confirmTransaction({ signature, ...latest });
    assert.equal(value.err, null);
  }

  async configure() {
    const program = this.programOf(this.upgradeAuthority);
    await program.methods
      .initializeConfig(this.admin.publicKey, this.guardian.publicKey, usdc(1_000), new BN(86_400))
      .accounts({ payer: this.upgradeAuthority.publicKey, upgradeAuthority: this.upgradeAuthority.publicKey, baseMint: USDC })
      .rpc();
  }

  // A token that trades against USDC, with plenty of both in the pool.
  async openMarket() {
    const mint = Keypair.generate();
    const payer = this.mintAuthority;
    const space = MINT_BYTES;
    const lamports = await this.connection.getMinimumBalanceForRentExemption(space);
    const created = { fromPubkey: payer.publicKey, newAccountPubkey: mint.publicKey, space, lamports, programId: TOKEN };
    const begun = [writable(mint.publicKey), readonly(SYSVAR_RENT_PUBKEY)];
    await this.send([SystemProgram.createAccount(created), tokenInstruction([0, 6, ...payer.publicKey.toBytes(), 0], begun)], payer, mint);
    this.bonk = mint.publicKey;
    const mints = [USDC, this.bonk].sort((one, other) => Buffer.compare(one.toBuffer(), other.toBuffer()));
    this.pool = derived(POOLS, Buffer.from("pool"), ...mints.map((each) => each.toBytes()));
    await this.send(
      mints.flatMap((each) => [createTokenAccount(payer, this.pool, each), this.minted(this.pool, each, RESERVE)]),
      payer,
    );
    const sides = [...mints, ...mints.map((each) => tokenAccount(this.pool, each)), SystemProgram.programId];
    const keys = [{ ...writable(payer.publicKey), isSigner: true }, writable(this.pool), ...sides.map(readonly)];
    await this.send([new TransactionInstruction({ programId: POOLS, data: Buffer.from([0]), keys })], payer);
  }

  minted(owner, mint, amount) {
    return this.mintedTo(tokenAccount(owner, mint), mint, amount);
  }

  mintedTo(account, mint, amount) {
    const data = Buffer.alloc(9, 7);
    data.writeBigUInt64LE(BigInt(amount), 1);
    const authority = { ...readonly(this.mintAuthority.publicKey), isSigner: true };
    return tokenInstruction(data, [writable(mint), writable(account), authority]);
  }

  async hands(owner, mint, amount) {
    await this.send([createTokenAccount(this.mintAuthority, owner, mint), this.minted(owner, mint, amount)], this.mintAuthority);
  }

  // Into a token account that is not the associated one.
  async handsElsewhere(owner, mint, amount) {
    const [account, payer] = [Keypair.generate(), this.mintAuthority];
    const lamports = await this.connection.getMinimumBalanceForRentExemption(ACCOUNT_BYTES);
    const created = { fromPubkey: payer.publicKey, newAccountPubkey: account.publicKey, space: ACCOUNT_BYTES, lamports, programId: TOKEN };
    const begun = tokenInstruction([1], [writable(account.publicKey), ...[mint, owner, SYSVAR_RENT_PUBKEY].map(readonly)]);
    await this.send([SystemProgram.createAccount(created), begun, this.mintedTo(account.publicKey, mint, amount)], payer, account);
  }

  async balance(owner, mint) {
    const account = await this.connection.getAccountInfo(tokenAccount(owner, mint));
    return account ? account.data.readBigUInt64LE(64) : 0n;
  }

  // A follower with 1,000 USDC in his wallet, and the token accounts that his vault will need.
  async follower() {
    const [owner, bot] = [Keypair.generate(), Keypair.generate()];
    await this.fund(owner, bot);
    const program = this.programOf(owner);
    const vault = derived(program.programId, Buffer.from("vault"), owner.publicKey.toBytes());
    const policy = derived(program.programId, Buffer.from("policy"), vault.toBytes());
    const tradeAuthority = derived(program.programId, Buffer.from("trade"), vault.toBytes());
    for (const mint of [USDC, this.bonk]) {
      await this.send(
        [owner.publicKey, vault, tradeAuthority].map((each) => createTokenAccount(owner, each, mint)),
        owner,
      );
    }
    await this.hands(owner.publicKey, USDC, 1_000_000_000);
    return { owner, bot, program, vault, policy, tradeAuthority };
  }

  // The same with a vault of 500 USDC that may hold any mint, and a bot that may trade: in the slot of the grant it may not.
  async followerWithBot() {
    const follower = await this.follower();
    const { owner, bot, program, vault } = follower;
    await program.methods
      .setPolicy(null, null, null, null, null, null, null, 1, [], [])
      .accounts({ owner: owner.publicKey })
      .preInstructions([await program.methods.initializeVault().accounts({ owner: owner.publicKey }).instruction()])
      .rpc();
    await program.methods.deposit(usdc(500)).accounts(this.depositAccounts(follower)).rpc();
    await program.methods.grantBotAuthority().accounts({ owner: owner.publicKey, botAuthority: bot.publicKey }).rpc();
    const { botEpoch } = await program.account.vaultPolicy.fetch(follower.policy);
    while ((await this.connection.getSlot()) <= botEpoch.toNumber());
    assert.ok((await program.account.vaultAccount.fetch(vault)).botAuthority.equals(bot.publicKey));
    return follower;
  }

  depositAccounts({ owner, vault }) {
    const accounts = [owner.publicKey, vault].map((each) => tokenAccount(each, USDC));
    return { owner: owner.publicKey, ownerToken: accounts[0], vaultToken: accounts[1], baseMint: USDC };
  }

  withdrawAccounts({ owner, vault }, mint) {
    const [vaultToken, ownerToken] = [vault, owner.publicKey].map((each) => tokenAccount(each, mint));
    return { owner: owner.publicKey, vaultToken, ownerToken, mint, tokenProgram: TOKEN };
  }

  async guard({ program, policy }, nonce) {
    const { botEpoch } = await program.account.vaultPolicy.fetch(policy);
    return { nonce: new BN(nonce), botEpoch, deadlineSlot: new BN((await this.connection.getSlot()) + 400) };
  }

  // The bot swaps through the router; what it gives and gets are mints.
  trade({ bot, vault, tradeAuthority }, given, got, amountIn, guard) {
    const route = Buffer.concat([Buffer.from(ROUTE_V2, "hex"), routeHead(amountIn), Buffer.from(ONE_STEP_THROUGH_A_POOL, "hex")]);
    const [tradeInput, tradeOutput] = [given, got].map((mint) => tokenAccount(tradeAuthority, mint));
    const [vaultInput, vaultOutput] = [given, got].map((mint) => tokenAccount(vault, mint));
    const router = derived(ROUTER, Buffer.from("__event_authority"));
    const remaining = [
      ...[readonly(tradeAuthority), writable(tradeInput), writable(tradeOutput)],
      ...[given, got, TOKEN, TOKEN, ROUTER, router, ROUTER, POOLS, this.pool, tradeAuthority].map(readonly),
      ...[tradeInput, tradeOutput, tokenAccount(this.pool, given), tokenAccount(this.pool, got)].map(writable),
      readonly(TOKEN),
    ];
    const accounts = { vaultInput, vaultOutput, tradeInput, tradeOutput, inputMint: given, outputMint: got, routerProgram: ROUTER };
    return this.programOf(bot)
      .methods.botTrade(amountIn, new BN(1), route, guard)
      .accountsPartial({ botAuthority: bot.publicKey, vault, ...accounts })
      .remainingAccounts(remaining);
  }

  // The name of the error with which it landed and failed.
  async failure(person, methods) {
    const { blockhash } = await this.connection.getLatestBlockhash();
    const transaction = Object.assign(await methods.transaction(), { recentBlockhash: blockhash, feePayer: person.publicKey });
    transaction.sign(person);
    const signature = await this.connection.sendRawTransaction(transaction.serialize(), { skipPreflight: true });
    for (;;) {
      const landed = await this.transaction(signature);
      if (landed) return errorName(JSON.stringify(landed.meta.err));
    }
  }

  // The events that the vault program logged in a transaction, by Anchor's parser.
  async eventsOf(signature) {
    const { logMessages } = (await this.transaction(signature)).meta;
    const { programId, coder } = this.programOf(this.admin);
    return [...new EventParser(programId, coder).parseLogs(logMessages)];
  }

  async transaction(signature) {
    return this.connection.getTransaction(signature, { commitment: "confirmed", maxSupportedTransactionVersion: 0 });
  }
}

// The name of the error with which a node refuses to send it. Anchor's client translates an error of one short message; web3.js puts all
// logs into it, where the error stands a second time, so its short form is what is translated here.
export async function refusal(promise) {
  const caught = await promise.then(
    () => assert.fail("the chain did not refuse it"),
    (error) => error,
  );
  if (caught instanceof AnchorError) return caught.error.errorCode.code;
  assert.ok(caught instanceof SendTransactionError, `${caught}`);
  return errorName(caught.transactionError.message);
}

function errorName(message) {
  const { code } = translateError(new Error(message), new Map(idl.errors.map(({ code, msg }) => [code, msg])));
  assert.equal(typeof code, "number", message);
  const named = idl.errors.find((each) => each.code === code)?.name;
  return named ?? Object.keys(LangErrorCode).find((name) => LangErrorCode[name] === code);
}

export function createTokenAccount(payer, owner, mint) {
  const keys = [
    ...[{ ...writable(payer.publicKey), isSigner: true }, writable(tokenAccount(owner, mint))],
    ...[owner, mint, SystemProgram.programId, TOKEN].map(readonly),
  ];
  return new TransactionInstruction({ programId: ASSOCIATED, data: Buffer.from([1]), keys });
}

// in_amount, quoted_out_amount 1, no slippage, no fees, one step
function routeHead(amountIn) {
  const head = Buffer.alloc(26);
  head.writeBigUInt64LE(BigInt(amountIn.toString()), 0);
  head.writeBigUInt64LE(1n, 8);
  head.writeUInt32LE(1, 22);
  return head;
}

const tokenInstruction = (data, keys) => new TransactionInstruction({ programId: TOKEN, data: Buffer.from(data), keys });
const writable = (pubkey) => ({ pubkey, isSigner: false, isWritable: true });
const readonly = (pubkey) => ({ pubkey, isSigner: false, isWritable: false });
