/** Leaders in the order of the newest finished scoring run. */
import { percent, short } from "./format";
import type { Leader, Overview } from "./overview";
import { Section } from "./Section";

export function Leaders({ leaders, scoring }: { leaders: Leader[]; scoring: Overview["scoring"] }) {
  const note = scoring ? `as of slot ${scoring.as_of_slot ?? "–"}` : "no finished run yet";
  return (
    <Section
      title="Leaders"
      note={note}
      className="leaders"
      empty={
        leaders.length === 0 ? "No wallet is ranked yet. The first ranking stands once history has been read." : null
      }
    >
      <table>
        <thead>
          <tr>
            <th scope="col" className="number">
              Rank
            </th>
            <th scope="col">Wallet</th>
            <th scope="col" className="number">
              Score
            </th>
            <th scope="col" className="number">
              Return
            </th>
            <th scope="col" className="number">
              Drawdown
            </th>
            <th scope="col" className="number optional">
              Wins
            </th>
            <th scope="col" className="number optional">
              Trades
            </th>
          </tr>
        </thead>
        <tbody>
          {leaders.map((leader) => (
            <tr key={leader.wallet} className={leader.followed ? "followed" : undefined}>
              <td className="number">{leader.rank}</td>
              <td className="wraps">
                <code title={leader.wallet}>{short(leader.wallet)}</code>
                {leader.followed ? <span className="tag">followed</span> : null}
              </td>
              <td className="number">
                <Score value={leader.score} model={leader.model} />
              </td>
              <td className="number">{percent(leader.total_return_percent)}</td>
              <td className="number">
                {percent(leader.max_drawdown_percent === null ? null : -leader.max_drawdown_percent)}
              </td>
              <td className="number optional">{percent(leader.win_rate_percent, 0).replace("+", "")}</td>
              <td className="number optional">{leader.trade_count ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
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
