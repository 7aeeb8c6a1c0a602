/** In the header: who is signed in, or the way to sign in with a wallet of this browser. */
import { useRef, useState } from "react";
import { short } from "./format";
import type { SignedIn } from "./useAccount";
import type { Wallet } from "./wallet";

export function SignIn({ signedIn }: { signedIn: SignedIn }) {
  const { account, wallets, enter, leave } = signedIn;
  const dialog = useRef<HTMLDialogElement>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const run = (action: () => Promise<void>) => {
    setBusy(true);
    setFailure(null);
    action()
      .then(
        () => dialog.current?.close(),
        (error: unknown) => {
          setFailure(error instanceof Error ? error.message : String(error));
        },
      )
      .finally(() => {
        setBusy(false);
      });
  };

  if (account) {
    return (
      <div className="who">
        <code title={account.status.wallet_address}>{short(account.status.wallet_address)}</code>{" "}
        <button
          type="button"
          disabled={busy}
          onClick={() => {
            run(leave);
          }}
        >
          Sign out
        </button>
      </div>
    );
  }
  return (
    <div className="who">
      <button type="button" onClick={() => dialog.current?.showModal()}>
        Sign in…
      </button>
      <dialog ref={dialog} aria-labelledby="sign-in-title">
        <h2 id="sign-in-title">Sign in with your wallet</h2>
        <p>You sign a text. It is not a transaction and moves nothing.</p>
        <Choices
          wallets={wallets}
          busy={busy}
          choose={(wallet) => {
            run(() => enter(wallet));
          }}
        />
        {failure ? (
          <p className="stale" role="alert">
            {failure}
          </p>
        ) : null}
        <p className="actions">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
        </p>
      </dialog>
    </div>
  );
}

function Choices({ wallets, busy, choose }: { wallets: Wallet[]; busy: boolean; choose: (wallet: Wallet) => void }) {
  if (wallets.length === 0) {
    return (
      <p className="muted">
        No wallet was found in this browser. Install one that speaks the Wallet Standard, and reload.
      </p>
    );
  }
  return (
    <ul className="choices">
      {wallets.map((wallet) => (
        <li key={wallet.name}>
          <button
            type="button"
            disabled={busy}
            onClick={() => {
              choose(wallet);
            }}
          >
            {wallet.name}
          </button>
        </li>
      ))}
    </ul>
  );
}
