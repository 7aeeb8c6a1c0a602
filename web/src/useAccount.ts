/** Who is signed in here and with which wallet: read on opening, again after every action, and kept from ending while the page is open. */
import { useCallback, useEffect, useState } from "react";
import { readAccount, signIn, signOut, staySignedIn, type Account } from "./account";
import { connect, watchWallets, type Wallet } from "./wallet";

const RENEW_MS = 4 * 60_000;
const READ_MS = 2_000;

export interface SignedIn {
  account: Account | null;
  wallets: Wallet[];
  wallet: Wallet | null;
  enter: (wallet: Wallet) => Promise<void>;
  leave: () => Promise<void>;
  refresh: () => Promise<void>;
}

export function useAccount(): SignedIn {
  const [account, setAccount] = useState<Account | null>(null);
  const [wallets, setWallets] = useState<Wallet[]>([]);
  const [wallet, setWallet] = useState<Wallet | null>(null);
  const owner = account?.status.wallet_address;

  const refresh = useCallback(async () => {
    setAccount(await readAccount());
  }, []);

  useEffect(
    () =>
      watchWallets((found) => {
        setWallets((known) => (known.some((one) => one.name === found.name) ? known : [...known, found]));
      }),
    [],
  );

  useEffect(() => {
    const read = () => {
      refresh().catch(() => undefined); // The page's own reading says when the server does not answer.
    };
    read();
    const timer = owner === undefined ? null : setInterval(read, READ_MS);
    const renewal =
      owner === undefined
        ? null
        : setInterval(() => {
            staySignedIn().catch(read);
          }, RENEW_MS);
    return () => {
      if (timer) clearInterval(timer);
      if (renewal) clearInterval(renewal);
    };
  }, [owner, refresh]);

  // After a reload the session is there and the wallet has to be found again; it is not asked to open for that.
  useEffect(() => {
    if (owner === undefined || wallet) return;
    for (const one of wallets) {
      connect(one, true, owner).then(
        () => {
          setWallet(one);
        },
        () => undefined, // Not his wallet, or it would have to ask him.
      );
    }
  }, [owner, wallet, wallets]);

  const enter = async (chosen: Wallet) => {
    await signIn(chosen);
    setWallet(chosen);
    await refresh();
  };
  const leave = async () => {
    await signOut();
    setWallet(null);
    setAccount(null);
  };
  return { account, wallets, wallet, enter, leave, refresh };
}
