/** Leaders in the order of the newest finished scoring run, with what stands behind each score. */
import { percent, short } from "./format";
import type { Leader, Overview } from "./overview";
import { Section } from "./Section";

const MODELS: Record<string, string> = { v1: "classic score (v1)", v2: "trust score v2" };

const COLUMNS: { name: string; title?: string; text?: boolean }[] = [
  { name: "Rank" },
  { name: "Wallet", text: true },
  { name: "Score", title: "Trust Score: chance in percent that copying pays over 90 days" },
  { name: "Edge", title: "Chance that there is any skill" },
  { name: "Band", title: "Daily utility-Sharpe, held with 80 %" },
  { name: "Capacity", title: "Order at which what is expected halves" },
  { name: "Evidence", title: "Days of life" },
  { name: "Classic", title: "Classic score, 0 to 55" },
  { name: "Return", title: "The wallet's own" },
  { name: "Drawdown", title: "The wallet's own" },
  { name: "Why", title: "The largest reasons, in points of the score", text: true },
];

export function Leaders({ leaders, scoring }: { leaders: Leader[]; scoring: Overview["scoring"] }) {
  const note = scoring ? `as of slot ${scoring.as_of_slot ?? "–"} · ${standing(leaders)}` : "no finished run yet";
  return (
    <Section
      title="Leaders"
      note={note}
      className="leaders"
      empty={
        leaders.length === 0 ? "No wallet is ranked yet. The first ranking stands once history has been read." : null
      }
    >
      <table className="cards">
        <thead>
          <tr>
            {COLUMNS.map((column) => (
              <th key={column.name} scope="col" className={column.text ? undefined : "number"} title={column.title}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {leaders.map((leader) => (
            <Row key={leader.wallet} leader={leader} />
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Row({ leader }: { leader: Leader }) {
  const known = leader.evidence;
  return (
    <tr className={leader.followed ? "followed" : undefined}>
      <td data-label="Rank" className="number">
        {leader.rank}
      </td>
      <td data-label="Wallet" className="wraps">
        <code title={leader.wallet}>{short(leader.wallet)}</code>
        {leader.followed ? <span className="tag">followed</span> : null}
      </td>
      <td data-label="Score" className="number">
        <Score value={leader.score} model={leader.model} />
      </td>
      <td data-label="Edge" className="number">
        {chance(known.edge_percent)}
      </td>
      <td data-label="Band" className="number">
        {band(known.band_low, known.band_high)}
      </td>
      <td data-label="Capacity" className="number">
        {capacity(known.capacity_usd)}
      </td>
      <td data-label="Evidence" className="number">
        {known.evidence_days} d
      </td>
      <td data-label="Classic" className="number">
        {known.classic_score.toFixed(1)}
      </td>
      <td data-label="Return" className="number">
        {percent(leader.total_return_percent)}
      </td>
      <td data-label="Drawdown" className="number">
        {percent(leader.max_drawdown_percent === null ? null : -leader.max_drawdown_percent)}
      </td>
      <td data-label="Why" className="wraps why muted">
        {known.reasons.length === 0 ? "–" : known.reasons.map((reason) => <span key={reason}>{reason}</span>)}
        {known.past === null ? null : <span>{known.past}</span>}
      </td>
    </tr>
  );
}

/** Which model ranks, and what its scores stand on: a synthetic prior is named wherever it is used. */
function standing(leaders: Leader[]): string {
  const first = leaders[0];
  if (!first) return "nobody is ranked";
  const prior = first.evidence.calibration;
  return `${MODELS[first.model] ?? first.model}${prior ? `, ${prior}` : ""}`;
}

/** Whole percent, never certain: no record makes 0 or 100 of it. */
function chance(percentOf: number | null): string {
  if (percentOf === null) return "–";
  return percentOf > 99 ? "> 99 %" : percentOf < 1 ? "< 1 %" : `${percentOf.toFixed(0)} %`;
}

function band(low: number | null, high: number | null): string {
  return low === null || high === null ? "–" : `${signed(low)} to ${signed(high)}`;
}

function signed(value: number): string {
  return `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(2)}`;
}

/** Whole dollars: it is known to no cent. */
function capacity(usd: number | null): string {
  return usd === null ? "–" : `$${Math.round(usd).toLocaleString("en-US")}`;
}

/** The classic score spans 0 to 55 and has cliffs (docs/adr/0008): the bar is drawn on that range, and the title says so. */
const CLASSIC_MAX = 55;

function Score({ value, model }: { value: number; model: string }) {
  const classic = model === "v1";
  const share = Math.min(1, Math.max(0, value / (classic ? CLASSIC_MAX : 100)));
  return (
    <span className="score" title={classic ? "Classic score, 0 to 55" : "Trust Score, 0 to 100"}>
      <svg viewBox="0 0 40 6" aria-hidden="true">
        <rect width="40" height="6" rx="3" className="track" />
        <rect width={40 * share} height="6" rx="3" className="fill" />
      </svg>
      {value.toFixed(1)}
    </span>
  );
}
