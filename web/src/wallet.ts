/** Wallets in this browser, by the Wallet Standard's own events: no library of any wallet, and no key ever in this page. */

export interface WalletAccount {
  readonly address: string;
}

export interface Wallet {
  readonly name: string;
  readonly features: Readonly<Record<string, unknown>>;
  readonly accounts: readonly WalletAccount[];
}

type Register = (...wallets: Wallet[]) => () => void;

interface Connecting {
  connect: (input?: { silent?: boolean }) => Promise<{ accounts: readonly WalletAccount[] }>;
}
interface MessageSigning {
  signMessage: (input: { account: WalletAccount; message: Uint8Array }) => Promise<{ signature: Uint8Array }[]>;
}
interface TransactionSigning {
  signTransaction: (input: {
    account: WalletAccount;
    transaction: Uint8Array;
    chain: string;
  }) => Promise<{ signedTransaction: Uint8Array }[]>;
}

const CONNECT = "standard:connect";
const SIGN_MESSAGE = "solana:signMessage";
const SIGN_TRANSACTION = "solana:signTransaction";
const CHAINS: Record<string, string> = {
  local: "solana:localnet",
  devnet: "solana:devnet",
  mainnet: "solana:mainnet",
};

/** Tells of every wallet that can do what is needed here, those that come later too. Returns how to stop listening. */
export function watchWallets(found: (wallet: Wallet) => void): () => void {
  const register: Register = (...wallets) => {
    for (const wallet of wallets) {
      if ([CONNECT, SIGN_MESSAGE, SIGN_TRANSACTION].every((feature) => feature in wallet.features)) found(wallet);
    }
    return () => undefined;
  };
  const api = { register };
  const onRegister = (event: Event) => {
    (event as CustomEvent<(api: { register: Register }) => void>).detail(api);
  };
  window.addEventListener("wallet-standard:register-wallet", onRegister);
  window.dispatchEvent(new CustomEvent("wallet-standard:app-ready", { detail: api }));
  return () => {
    window.removeEventListener("wallet-standard:register-wallet", onRegister);
  };
}

/** The wallet's first account, or the one with `address`. Throws where it has none. `silent`: without asking its owner. */
export async function connect(wallet: Wallet, silent = false, address?: string): Promise<WalletAccount> {
  const { accounts } = await (wallet.features[CONNECT] as Connecting).connect({ silent });
  const account = address === undefined ? accounts[0] : accounts.find((one) => one.address === address);
  if (!account)
    throw new Error(address ? `${wallet.name} does not hold ${address}.` : `${wallet.name} shows no account.`);
  return account;
}

/** The signature over `message`, in base58. */
export async function signMessage(wallet: Wallet, account: WalletAccount, message: string): Promise<string> {
  const signing = wallet.features[SIGN_MESSAGE] as MessageSigning;
  const [signed] = await signing.signMessage({ account, message: new TextEncoder().encode(message) });
  if (!signed) throw new Error(`${wallet.name} signed nothing.`);
  return base58(signed.signature);
}

/** The signed transaction, in base64. It is sent by us, because a wallet's own node may not know this chain. */
export async function signTransaction(
  wallet: Wallet,
  account: WalletAccount,
  transaction: string,
  environment: string,
): Promise<string> {
  const signing = wallet.features[SIGN_TRANSACTION] as TransactionSigning;
  const bytes = Uint8Array.from(atob(transaction), (character) => character.charCodeAt(0));
  const chain = CHAINS[environment] ?? `solana:${environment}`;
  const [signed] = await signing.signTransaction({ account, transaction: bytes, chain });
  if (!signed) throw new Error(`${wallet.name} signed nothing.`);
  return btoa(String.fromCharCode(...signed.signedTransaction));
}

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

export function base58(bytes: Uint8Array): string {
  let number = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let text = "";
  for (; number > 0n; number /= 58n) text = `${ALPHABET.charAt(Number(number % 58n))}${text}`;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros === -1 ? bytes.length : zeros) + text;
}
