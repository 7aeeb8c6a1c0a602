/** On every page: where we are, what the bot is doing, and the way to stop it. */
import { useEffect, useRef, useState } from "react";
import { ago } from "./format";
import { setEmergency, type Overview } from "./overview";
import { SignIn } from "./SignIn";
import type { SignedIn } from "./useAccount";

interface Props {
  overview: Overview;
  readAt: Date;
  error: string | null;
  signedIn: SignedIn;
  onChanged: () => void;
}

const BOT_WORDS = { active: "Bot active", paused: "Bot paused", stopped: "Bot stopped" } as const;

export function Header({ overview, readAt, error, signedIn, onChanged }: Props) {
  const { mode, bot } = overview;
  return (
    <header>
      <h1>
        <a className="wordmark" href="/">
          XORJ
        </a>
      </h1>
      <ModeBadge environment={mode.environment} worthless={mode.worthless} />
      <p className={`pill ${bot.state}`} role="status">
        <span aria-hidden="true" className="dot" />
        {BOT_WORDS[bot.state]}
        {bot.reason ? `: ${bot.reason}` : ""}
      </p>
      <p className="muted slot">
        Slot <span className="number">{mode.slot ?? "–"}</span>
      </p>
      {error ? (
        <p className="stale" role="alert">
          Not fresh: {error} Shown as of {ago(readAt.toISOString(), new Date())}.
        </p>
      ) : null}
      <SignIn signedIn={signedIn} />
      <EmergencyStop stopped={bot.kill_switch_stopped} inFlight={bot.open_intents} onChanged={onChanged} />
    </header>
  );
}

function ModeBadge({ environment, worthless }: { environment: string; worthless: boolean }) {
  return (
    <p className={worthless ? "badge worthless" : "badge live"}>
      {worthless ? "local demo, worthless funds" : environment}
    </p>
  );
}

interface StopProps {
  stopped: boolean;
  inFlight: number;
  onChanged: () => void;
}

function EmergencyStop({ stopped, inFlight, onChanged }: StopProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const action = stopped ? "resume" : "stop";

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key !== "S" || typing || dialog.current?.open) return;
      event.preventDefault();
      dialog.current?.showModal();
    };
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("keydown", onKey);
    };
  }, []);

  const confirm = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await setEmergency(action, reason.trim());
      dialog.current?.close();
      setReason("");
      onChanged();
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <button
        type="button"
        className={stopped ? "resume" : "stop"}
        title="Shift+S"
        onClick={() => dialog.current?.showModal()}
      >
        {stopped ? "Resume…" : "Stop…"}
      </button>
      <dialog ref={dialog} aria-labelledby="stop-title">
        <form
          method="dialog"
          onSubmit={(event) => {
            event.preventDefault();
            void confirm();
          }}
        >
          <h2 id="stop-title">{stopped ? "Let the bot trade again?" : "Stop all new trades?"}</h2>
          <p>
            {stopped
              ? "New leader trades will be copied again in each vault once its owner resumes it. Trades missed while stopped are not made up for."
              : `No new trade will be planned or signed, and every vault is paused on chain. Of ${inFlight} in flight, those that have not landed are cancelled. Withdrawing is never affected.`}
          </p>
          <label>
            Reason
            <input
              required
              maxLength={200}
              value={reason}
              onChange={(event) => {
                setReason(event.target.value);
              }}
            />
          </label>
          {failure ? (
            <p className="stale" role="alert">
              {failure}
            </p>
          ) : null}
          <p className="actions">
            <button type="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
            <button type="submit" className={stopped ? "resume" : "stop"} disabled={busy}>
              {stopped ? "Resume" : "Stop now"}
            </button>
          </p>
        </form>
      </dialog>
    </>
  );
}
