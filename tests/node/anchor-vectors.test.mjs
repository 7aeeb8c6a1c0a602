// Anchor's client builds, reads and names everything of the vault program from idl/xorj_vault.json, to the byte as our own codec does: in
// version 0.31.1, which the program is written for, and under the name that the client has had since 1.0.
import assert from "node:assert/strict";
import { test } from "node:test";
import coral from "@coral-xyz/anchor";
import core from "@anchor-lang/core";
import { Connection, Keypair, PublicKey } from "@solana/web3.js";
import { camel, idl, shownFields, shownStruct, toAnchor, vectors } from "./vault.mjs";

const loader = new PublicKey("BPFLoaderUpgradeab1e11111111111111111111111");
const named = ({ name, case: which }) => (which ? `${name}, ${which}` : name);
const meta = ({ key, signer, writable }) => ({ pubkey: new PublicKey(key), isSigner: signer, isWritable: writable });
const shownMeta = ({ pubkey, isSigner, isWritable }) => ({ key: pubkey.toBase58(), signer: isSigner, writable: isWritable });
const interfaceOf = (name) => idl.instructions.find((each) => each.name === name);
const errors = new Map(idl.errors.map((each) => [each.code, each.msg]));

test("the vectors have every instruction, account and event", () => {
  for (const kind of ["instructions", "accounts", "events"]) {
    assert.deepEqual(new Set(vectors[kind].map((each) => each.name)), new Set(idl[kind].map((each) => each.name)), kind);
  }
});

for (const [client, anchor] of Object.entries({ "@coral-xyz/anchor": coral, "@anchor-lang/core": core })) {
  checkedWith(client, anchor);
}

function checkedWith(client, anchor) {
  const check = (what, run) => test(`${client} ${what}`, run);
  const { AnchorProvider, EventParser, LangErrorCode, Program, Wallet, translateError } = anchor;
  const offline = new AnchorProvider(new Connection("http://127.0.0.1:1"), new Wallet(Keypair.generate()), {});
  const program = new Program(idl, offline);
  const id = program.programId.toBase58();

  for (const vector of vectors.instructions) {
    check(`builds ${named(vector)}`, async () => {
      const { args } = interfaceOf(vector.name);
      const given = args.map((field) => toAnchor(field.type, vector.arguments[field.name]));
      const keys = Object.entries(vector.accounts).map(([role, { key }]) => [camel(role), new PublicKey(key)]);
      const built = await program.methods[camel(vector.name)](...given)
        .accountsStrict(Object.fromEntries(keys))
        .remainingAccounts(vector.remaining_accounts.map(meta))
        .instruction();
      assert.equal(built.data.toString("hex"), vector.data);
      assert.equal(built.programId.toBase58(), id);
      assert.deepEqual(built.keys.map(shownMeta), [...Object.values(vector.accounts), ...vector.remaining_accounts]);
    });

    check(`reads ${named(vector)}`, () => {
      const { name, data } = program.coder.instruction.decode(Buffer.from(vector.data, "hex"));
      assert.equal(name, camel(vector.name));
      assert.deepEqual(shownFields(interfaceOf(vector.name).args, data), vector.arguments);
    });
  }

  for (const vector of vectors.accounts) {
    check(`reads the account ${named(vector)}`, () => {
      const read = program.coder.accounts.decode(camel(vector.name), Buffer.from(vector.data, "hex"));
      assert.deepEqual(shownStruct(vector.name, read), vector.values);
    });
  }

  check("takes no account for another", () => {
    const config = Buffer.from(vectors.accounts.find((each) => each.name === "Config").data, "hex");
    assert.throws(() => program.coder.accounts.decode("vaultAccount", config), /discriminator/i);
  });

  for (const vector of vectors.events) {
    const line = `Program data: ${Buffer.from(vector.data, "hex").toString("base64")}`;
    const parsed = (logs) => [...new EventParser(program.programId, program.coder).parseLogs(logs)];

    check(`reads the event ${named(vector)} out of a log`, () => {
      const [event, ...more] = parsed([`Program ${id} invoke [1]`, line, `Program ${id} success`]);
      assert.equal(event.name, camel(vector.name));
      assert.deepEqual(shownStruct(vector.name, event.data), vector.values);
      assert.deepEqual(more, []);
    });

    check(`does not take it for one when another program logs ${named(vector)}`, () => {
      const router = "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4";
      const forged = [`Program ${router} invoke [2]`, line, `Program ${router} success`];
      assert.deepEqual(parsed([`Program ${id} invoke [1]`, ...forged, `Program ${id} success`]), []);
    });
  }

  for (const [code, name] of Object.entries(vectors.errors)) {
    check(`knows ${code} as ${name}`, () => {
      assert.equal(program.idl.errors.find((each) => each.code === Number(code)).name, camel(name));
      for (const words of [`custom program error: 0x${Number(code).toString(16)}`, `{"InstructionError":[0,{"Custom":${code}}]}`]) {
        const error = translateError(new Error(words), errors);
        assert.deepEqual([error.code, error.msg], [Number(code), errors.get(Number(code))]);
      }
    });
  }

  check("knows the framework's codes by the names that we use", () => {
    assert.deepEqual(
      Object.entries(vectors.framework_errors).map(([code, name]) => [name, LangErrorCode[name], Number(code)]),
      Object.entries(vectors.framework_errors).map(([code, name]) => [name, Number(code), Number(code)]),
    );
  });

  check("fills in every address that can be derived", async () => {
    const owner = Keypair.generate().publicKey;
    const token = Keypair.generate().publicKey;
    const derived = (...seeds) => PublicKey.findProgramAddressSync(seeds, program.programId)[0];
    const vault = derived(Buffer.from("vault"), owner.toBytes());
    const policy = derived(Buffer.from("policy"), vault.toBytes());
    const config = derived(Buffer.from("config"));
    const trade = derived(Buffer.from("trade"), vault.toBytes());
    const keys = async (methods) => (await methods.instruction()).keys.map((each) => each.pubkey.toBase58());
    const begins = async (methods, ...expected) =>
      assert.deepEqual(
        (await keys(methods)).slice(0, expected.length),
        expected.map((each) => each.toBase58()),
      );

    const programData = PublicKey.findProgramAddressSync([program.programId.toBytes()], loader)[0];
    const configured = { payer: owner, upgradeAuthority: owner, baseMint: token };
    await begins(
      program.methods.initializeConfig(owner, owner, new anchor.BN(1), new anchor.BN(1)).accounts(configured),
      ...[owner, owner, config, token, programData, PublicKey.default],
    );
    await begins(program.methods.initializeVault().accounts({ owner }), owner, vault, policy, config, PublicKey.default);
    await begins(program.methods.revokeBotAuthority().accounts({ owner }), owner, vault, policy);
    await begins(program.methods.closeVault().accounts({ owner }), owner, vault, policy);
    await begins(
      program.methods.deposit(new anchor.BN(1)).accounts({ owner, ownerToken: token, vaultToken: token, baseMint: token }),
      ...[owner, vault, policy, config, token, token, token, new PublicKey("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")],
    );
    const recovered = { owner, tradeToken: token, vaultToken: token, mint: token, tokenProgram: token };
    await begins(program.methods.recoverTradeAccount().accounts(recovered), owner, vault, trade);
  });
}
