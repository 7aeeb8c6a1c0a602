/** While everything is stopped: what was done for it in each vault, with the transactions that did it. */
import { useEffect, useState } from "react";
import { short } from "./format";
import { readStopping, type Stopping, type VaultStop } from "./overview";
import { Section } from "./Section";

const STATUS_WORDS: Record<VaultStop["brakes"][number]["status"], string> = {
  prepared: "prepared",
  sent: "sent, not final yet",
  done: "done",
  failed: "failed",
  expired: "expired, tried again",
};

export function Stopped({ stopped, now }: { stopped: boolean; now: Date }) {
  const [stopping, setStopping] = useState<Stopping | null>(null);
  useEffect(() => {
    let ended = false;
    if (stopped) {
      readStopping().then(
        (found) => {
          if (!ended) setStopping(found);
        },
        () => undefined, // The page's own reading says when the server does not answer.
      );
    }
    return () => {
      ended = true;
    };
  }, [stopped, now]);
  if (!stopped || !stopping?.vaults.length) return null;
  return (
    <Section title="Stopped" className="stopped" empty={null}>
      {stopping.vaults.map((vault) => (
        <article key={vault.vault}>
          <p className="vault-line">
            <code title={vault.vault}>{short(vault.vault)}</code>
            <span>{words(vault)}</span>
          </p>
          <ul>
            {vault.brakes.map((brake) => (
              <li key={brake.signature ?? `${brake.kind} ${brake.nonce ?? ""}`}>
                {brake.kind === "pause" ? "Paused on chain" : `Trade cancelled (nonce ${brake.nonce ?? "–"} burned)`}:{" "}
                {STATUS_WORDS[brake.status]}{" "}
                {brake.signature ? <code title={brake.signature}>{short(brake.signature)}</code> : null}
              </li>
            ))}
          </ul>
        </article>
      ))}
    </Section>
  );
}

function words(vault: VaultStop): string {
  const isPaused = vault.paused || vault.brakes.some((brake) => brake.kind === "pause" && brake.status === "done");
  const doubt = vault.in_doubt ? `${vault.in_doubt} trades in doubt` : "no trade in doubt";
  return `${isPaused ? "paused until its owner resumes it" : "not paused on chain yet"}, ${doubt}`;
}
