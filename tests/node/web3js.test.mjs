// @solana/web3.js drives the local chain as it drives any node: airdrop, transfer, token mint, confirm by WebSocket, history.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  Connection,
  Keypair,
  LAMPORTS_PER_SOL,
  PublicKey,
  SystemProgram,
  SYSVAR_RENT_PUBKEY,
  Transaction,
  TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
  sendAndConfirmTransaction,
} from "@solana/web3.js";
import { hangUp, startLocalChain, subscribed } from "./local-chain.mjs";

const TOKEN = new PublicKey("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
const MINT_BYTES = 82;
const ACCOUNT_BYTES = 165;
const owner = Keypair.generate();
const friend = Keypair.generate();
let chain;
let connection;

before(async () => {
  chain = await startLocalChain();
  connection = new Connection(chain.url, "confirmed");
  const latest = await connection.getLatestBlockhash();
  const signature = await connection.requestAirdrop(owner.publicKey, 10 * LAMPORTS_PER_SOL);
  await connection.confirmTransaction({ signature, ...latest });
});

after(async () => {
  hangUp(connection);
  await chain?.stop();
});

test("an airdrop arrives", async () => {
  assert.equal(await connection.getBalance(owner.publicKey), 10 * LAMPORTS_PER_SOL);
});

test("a transfer is confirmed by WebSocket and told to who watches the account", async () => {
  let accounts;
  let logs;
  const told = new Promise((done) => (accounts = connection.onAccountChange(friend.publicKey, (account) => done(account.lamports))));
  const logged = new Promise((done) => (logs = connection.onLogs(friend.publicKey, ({ signature }) => done(signature))));
  await subscribed(connection);
  const pay = SystemProgram.transfer({ fromPubkey: owner.publicKey, toPubkey: friend.publicKey, lamports: LAMPORTS_PER_SOL });
  const signature = await sendAndConfirmTransaction(connection, new Transaction().add(pay), [owner]);
  assert.equal(await told, LAMPORTS_PER_SOL);
  assert.equal(await logged, signature);
  await Promise.all([connection.removeAccountChangeListener(accounts), connection.removeOnLogsListener(logs)]);
});

test("a version 0 transaction is sent, confirmed and read back", async () => {
  const latest = await connection.getLatestBlockhash();
  const pay = SystemProgram.transfer({ fromPubkey: owner.publicKey, toPubkey: friend.publicKey, lamports: 7 });
  const message = new TransactionMessage({ payerKey: owner.publicKey, recentBlockhash: latest.blockhash, instructions: [pay] });
  const transaction = new VersionedTransaction(message.compileToV0Message());
  transaction.sign([owner]);
  const signature = await connection.sendTransaction(transaction);
  const outcome = await connection.confirmTransaction({ signature, ...latest });
  assert.equal(outcome.value.err, null);
  const read = await connection.getTransaction(signature, { maxSupportedTransactionVersion: 0 });
  assert.equal(read.version, 0);
  assert.equal(read.meta.postBalances[1] - read.meta.preBalances[1], 7);
});

test("a token is made, minted and shown parsed", async () => {
  const mint = Keypair.generate();
  const account = Keypair.generate();
  const [mintRent, accountRent] = await Promise.all(
    [MINT_BYTES, ACCOUNT_BYTES].map((size) => connection.getMinimumBalanceForRentExemption(size)),
  );
  const create = (key, space, lamports) =>
    SystemProgram.createAccount({ fromPubkey: owner.publicKey, newAccountPubkey: key.publicKey, space, lamports, programId: TOKEN });
  const instruction = (data, ...keys) => new TransactionInstruction({ programId: TOKEN, data: Buffer.from(data), keys });
  const writable = (key) => ({ pubkey: key.publicKey, isSigner: false, isWritable: true });
  const readonly = (pubkey) => ({ pubkey, isSigner: false, isWritable: false });
  const signer = { pubkey: owner.publicKey, isSigner: true, isWritable: false };
  const amount = Buffer.alloc(8);
  amount.writeBigUInt64LE(5_000_000n);
  const transaction = new Transaction().add(
    create(mint, MINT_BYTES, mintRent),
    instruction([0, 6, ...owner.publicKey.toBytes(), 0], writable(mint), readonly(SYSVAR_RENT_PUBKEY)),
    create(account, ACCOUNT_BYTES, accountRent),
    instruction([1], writable(account), readonly(mint.publicKey), readonly(owner.publicKey), readonly(SYSVAR_RENT_PUBKEY)),
    instruction([7, ...amount], writable(mint), writable(account), signer),
  );
  await sendAndConfirmTransaction(connection, transaction, [owner, mint, account]);
  assert.equal((await connection.getTokenSupply(mint.publicKey)).value.uiAmountString, "5");
  const held = await connection.getParsedTokenAccountsByOwner(owner.publicKey, { mint: mint.publicKey });
  assert.equal(held.value[0].account.data.parsed.info.tokenAmount.amount, "5000000");
  const programAccounts = await connection.getProgramAccounts(TOKEN, { filters: [{ dataSize: ACCOUNT_BYTES }] });
  assert.ok(programAccounts.some((row) => row.pubkey.equals(account.publicKey)));
});

test("the history of a wallet is there, newest first, and parses", async () => {
  const rows = await connection.getSignaturesForAddress(owner.publicKey);
  assert.ok(rows.length >= 4);
  assert.ok(rows.every((row, index) => index === 0 || row.slot <= rows[index - 1].slot));
  const parsed = await connection.getParsedTransactions(
    rows.map((row) => row.signature),
    { maxSupportedTransactionVersion: 0 },
  );
  assert.ok(parsed.every((one) => one.meta.err === null));
  const block = await connection.getBlock(rows.at(-1).slot, { maxSupportedTransactionVersion: 0, commitment: "confirmed" });
  assert.ok(block.transactions.length >= 1);
});

test("a failing transaction is refused with its logs", async () => {
  const pay = SystemProgram.transfer({ fromPubkey: owner.publicKey, toPubkey: friend.publicKey, lamports: 1_000 * LAMPORTS_PER_SOL });
  await assert.rejects(sendAndConfirmTransaction(connection, new Transaction().add(pay), [owner]), (error) => {
    assert.match(error.message, /insufficient lamports/);
    return true;
  });
});

test("slots pass", async () => {
  const seen = [];
  const listener = connection.onSlotChange(({ slot }) => seen.push(slot));
  const first = await connection.getSlot("processed");
  while (seen.length < 3) await connection.getSlot();
  await connection.removeSlotChangeListener(listener);
  assert.ok(seen.at(-1) > first);
});
