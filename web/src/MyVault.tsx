/** The signed-in owner's vault and everything he can do with it. Each action is a transaction that he signs in his wallet. */
import { useState, type ReactNode } from "react";
import { act, setBot, type Account } from "./account";
import { amount, dollars, rawAmount, short } from "./format";
import { Section } from "./Section";
import type { SignedIn } from "./useAccount";

const BASE_DECIMALS = 6;

interface Props {
  account: Account;
  signedIn: SignedIn;
  environment: string;
}

type Run = (path: string, body?: unknown) => Promise<void>;

export function MyVault({ account, signedIn, environment }: Props) {
  const [said, setSaid] = useState<string | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const { wallet, refresh } = signedIn;

  const tried = async (action: () => Promise<string>) => {
    setBusy(true);
    setFailure(null);
    setSaid(null);
    try {
      setSaid(await action());
      await refresh();
    } catch (error) {
      setSaid(null);
      setFailure(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  const run: Run = (path, body) =>
    tried(async () => {
      if (!wallet) throw new Error(`Open the wallet that holds ${short(account.status.wallet_address)}, then reload.`);
      return act(wallet, account.status.wallet_address, environment, path, body, setSaid);
    });

  return (
    <Section title="Your vault" className="mine" empty={null}>
      <fieldset className="quiet" disabled={busy}>
        {account.vault ? (
          <Opened account={account} run={run} tried={tried} />
        ) : (
          <p>
            You have none yet. Only you will be able to take anything out of it.{" "}
            <Action onClick={() => run("/api/vault/deploy")}>Make your vault</Action>
          </p>
        )}
      </fieldset>
      <p role="status">{said}</p>
      {failure ? (
        <p className="stale" role="alert">
          {failure}
        </p>
      ) : null}
    </Section>
  );
}

interface OpenedProps {
  account: Account;
  run: Run;
  tried: (action: () => Promise<string>) => Promise<void>;
}

function Opened({ account, run, tried }: OpenedProps) {
  const { vault, configuration } = account;
  if (!vault) return null;
  return (
    <>
      <p className="vault-line">
        <strong className="number">{dollars(vault.value_usd)}</strong>
        <code title={vault.address}>{short(vault.address)}</code>
        <span className="tag">{vault.is_active ? (vault.paused ? "paused" : "active") : "deactivated"}</span>
        <span className="tag">{vault.bot_authority ? "bot granted" : "no bot"}</span>
        <span className="tag">{configuration.enabled ? "copying" : "not copying"}</span>
      </p>
      <div className="forms">
        <AmountForm
          name="Deposit"
          unit="USDC"
          decimals={BASE_DECIMALS}
          send={(raw) => run("/api/vault/deposit", { amount_raw: raw })}
        />
        {vault.balances.map((balance) => (
          <AmountForm
            key={balance.mint}
            name="Withdraw"
            unit={balance.symbol}
            decimals={balance.decimals}
            all={balance.amount_raw}
            send={(raw) => run("/api/vault/withdraw", { mint: balance.mint, amount_raw: raw })}
          />
        ))}
        <LimitsForm run={run} />
        <CopyForm account={account} tried={tried} />
      </div>
      <p className="buttons">
        {vault.bot_authority ? (
          <Action onClick={() => run("/api/vault/revoke")}>Revoke the bot</Action>
        ) : (
          <Action onClick={() => run("/api/vault/grant")}>Grant the bot</Action>
        )}
        {vault.paused ? (
          <Action onClick={() => run("/api/vault/resume")}>Resume trading</Action>
        ) : (
          <Action onClick={() => run("/api/vault/pause")}>Pause trading</Action>
        )}
        {vault.is_active ? <Action onClick={() => run("/api/vault/deactivate")}>Deactivate for good</Action> : null}
        {vault.bot_authority ? null : <Action onClick={() => run("/api/vault/close")}>Close the vault</Action>}
      </p>
      <Leftovers vault={vault} run={run} />
    </>
  );
}

function Action({ onClick, children }: { onClick: () => Promise<void>; children: ReactNode }) {
  return (
    <button
      type="button"
      onClick={() => {
        void onClick();
      }}
    >
      {children}
    </button>
  );
}

interface AmountProps {
  name: string;
  unit: string;
  decimals: number;
  all?: string;
  send: (raw: string) => Promise<void>;
}

function AmountForm({ name, unit, decimals, all, send }: AmountProps) {
  const [text, setText] = useState("");
  const raw = rawAmount(text, decimals);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (raw !== null)
          void send(raw).then(() => {
            setText("");
          });
      }}
    >
      <label>
        {name} {unit}
        <input
          inputMode="decimal"
          required
          value={text}
          placeholder={all === undefined ? "0.00" : `up to ${amount(all, decimals)}`}
          aria-invalid={text !== "" && raw === null}
          onChange={(event) => {
            setText(event.target.value);
          }}
        />
      </label>
      <button type="submit" disabled={raw === null || raw === "0"}>
        {name}
      </button>
      {all === undefined ? null : <Action onClick={() => send(all)}>All</Action>}
    </form>
  );
}

const LIMITS = [
  { field: "spend_per_trade_raw", label: "A trade, at most USDC" },
  { field: "spend_per_day_raw", label: "A day, at most USDC" },
  { field: "loss_per_day_raw", label: "Loss a day, at most USDC" },
] as const;

function LimitsForm({ run }: { run: Run }) {
  const [texts, setTexts] = useState<Record<string, string>>({});
  const [mode, setMode] = useState("");
  const given = LIMITS.filter(({ field }) => texts[field]);
  const values = given.map(({ field }) => [field, rawAmount(texts[field] ?? "", BASE_DECIMALS)] as const);
  const valid = values.every(([, raw]) => raw !== null) && (given.length > 0 || mode !== "");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const body = { ...Object.fromEntries(values), ...(mode ? { mint_mode: mode } : {}) };
        void run("/api/vault/policy", body);
      }}
    >
      {LIMITS.map(({ field, label }) => (
        <label key={field}>
          {label}
          <input
            inputMode="decimal"
            value={texts[field] ?? ""}
            placeholder="unchanged"
            onChange={(event) => {
              setTexts({ ...texts, [field]: event.target.value });
            }}
          />
        </label>
      ))}
      <label>
        Tokens
        <select
          value={mode}
          onChange={(event) => {
            setMode(event.target.value);
          }}
        >
          <option value="">unchanged</option>
          <option value="any">any token</option>
          <option value="allowlist">pinned tokens only</option>
        </select>
      </label>
      <button type="submit" disabled={!valid}>
        Set limits
      </button>
      <span className="muted">Tighter counts at once, looser after the delay.</span>
    </form>
  );
}

function CopyForm({ account, tried }: { account: Account; tried: OpenedProps["tried"] }) {
  const { configuration } = account;
  const [leaders, setLeaders] = useState(String(configuration.leaders_max));
  const [share, setShare] = useState(String(configuration.allocation_bps / 100));
  if (configuration.enabled) {
    return (
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void tried(() => setBot("disable", { reason: "disabled on the page" }));
        }}
      >
        <span>
          Copying up to {configuration.leaders_max} leaders, each with {configuration.allocation_bps / 100} %.
        </span>
        <button type="submit">Stop copying</button>
      </form>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const body = { leaders_max: Number(leaders), allocation_bps: Math.round(Number(share) * 100) };
        void tried(() => setBot("enable", body));
      }}
    >
      <label>
        Leaders, at most
        <input
          type="number"
          min={1}
          max={20}
          required
          value={leaders}
          onChange={(event) => {
            setLeaders(event.target.value);
          }}
        />
      </label>
      <label>
        Share of each, %
        <input
          type="number"
          min={0.01}
          max={100}
          step={0.01}
          required
          value={share}
          onChange={(event) => {
            setShare(event.target.value);
          }}
        />
      </label>
      <button type="submit">Begin copying</button>
    </form>
  );
}

/** What a trade may have left behind, and empty token accounts whose rent can come back. */
function Leftovers({ vault, run }: { vault: NonNullable<Account["vault"]>; run: Run }) {
  const [mint, setMint] = useState(vault.base_mint);
  const [empty, setEmpty] = useState("");
  return (
    <details>
      <summary>Recover and close token accounts</summary>
      <div className="forms">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void run("/api/vault/recover", { mint: mint.trim() });
          }}
        >
          <label>
            Token (mint) that a trade left behind
            <input
              required
              value={mint}
              onChange={(event) => {
                setMint(event.target.value);
              }}
            />
          </label>
          <button type="submit">Recover</button>
        </form>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void run("/api/vault/close-account", { account: empty.trim() });
          }}
        >
          <label>
            Empty token account
            <input
              required
              value={empty}
              onChange={(event) => {
                setEmpty(event.target.value);
              }}
            />
          </label>
          <button type="submit">Close account</button>
        </form>
      </div>
    </details>
  );
}
