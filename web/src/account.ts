/** What a signed-in wallet asks of the API: its session, its vault, and the transactions that only it can sign. */
import type { components } from "./api-types";
import { ask } from "./overview";
import { connect, signMessage, signTransaction, type Wallet } from "./wallet";

export type UserStatus = components["schemas"]["UserStatus"];
export type Vault = components["schemas"]["Vault"];
export type BotConfiguration = components["schemas"]["BotConfiguration"];
type Unsigned = components["schemas"]["UnsignedTransaction"];
type Sent = components["schemas"]["SentTransaction"];
type Landing = components["schemas"]["TransactionState"];

export interface Account {
  status: UserStatus;
  vault: Vault | null;
  configuration: BotConfiguration;
}

const LOOK_MS = 500;
const LANDING_MS_MAX = 90_000;

/** Whoever is signed in by this page's cookie; null for a visitor. */
export async function readAccount(): Promise<Account | null> {
  const answer = await fetch("/api/user/status", { credentials: "same-origin" });
  if (answer.status === 401 || answer.status === 403) return null;
  const [status, vaults, configuration] = await Promise.all([
    ask("/api/user/status"),
    ask("/api/vault"),
    ask("/api/bot/configuration"),
  ]);
  return {
    status: status as UserStatus,
    vault: (vaults as Vault[])[0] ?? null,
    configuration: configuration as BotConfiguration,
  };
}

/** A session for this page, by the wallet's signature over the server's own text. */
export async function signIn(wallet: Wallet): Promise<void> {
  const account = await connect(wallet);
  const asked = (await post("/api/auth/challenge", { wallet_address: account.address })) as { message: string };
  const signature = await signMessage(wallet, account, asked.message);
  await post("/api/auth/authenticate", { wallet_address: account.address, signature, message: asked.message });
}

export async function staySignedIn(): Promise<void> {
  await post("/api/auth/refresh");
}

export async function signOut(): Promise<void> {
  await post("/api/auth/logout");
}

/** Asks for a transaction, has it signed, sends it and waits until the chain has confirmed it. `told` hears each step. */
export async function act(
  wallet: Wallet,
  owner: string,
  environment: string,
  path: string,
  body: unknown,
  told: (step: string) => void,
): Promise<string> {
  const account = await connect(wallet, false, owner);
  const unsigned = (await post(path, body)) as Unsigned;
  told(`To sign in ${wallet.name}: ${unsigned.summary}.`);
  const transaction = await signTransaction(wallet, account, unsigned.transaction, environment);
  const { signature } = (await post("/api/vault/transactions", { transaction }, crypto.randomUUID())) as Sent;
  told("Sent. Waiting for the chain to confirm it.");
  await landed(signature);
  return `Done: ${unsigned.summary}.`;
}

export async function setBot(action: "enable" | "disable", body: object): Promise<string> {
  return ((await post(`/api/bot/${action}`, body, crypto.randomUUID())) as { message: string }).message;
}

async function landed(signature: string): Promise<void> {
  const deadline = Date.now() + LANDING_MS_MAX;
  while (Date.now() < deadline) {
    const found = (await ask(`/api/vault/transactions/${signature}`)) as Landing;
    if (found.state === "failed") throw new Error(`The chain refused it: ${found.error ?? "no reason given"}`);
    if (found.state === "confirmed" || found.state === "finalized") return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error("It was sent and is not confirmed yet. It may still land; look again before trying once more.");
}

async function post(path: string, body?: unknown, key?: string): Promise<unknown> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (key) headers["idempotency-key"] = key;
  return ask(path, { method: "POST", headers, body: body === undefined ? null : JSON.stringify(body) });
}
