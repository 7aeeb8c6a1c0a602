/** Our trades, each beside the leader's trade that it copies. */
import { Exchange } from "./Exchange";
import { ago, short } from "./format";
import type { Overview, Trade } from "./overview";
import { Section } from "./Section";

export function Trades({ trades, totals, now }: { trades: Trade[]; totals: Overview["totals"]; now: Date }) {
  const note = `${totals.settled} settled, ${totals.unsettled} in flight, ${totals.reverted} reverted, ${totals.dead} never landed`;
  return (
    <Section
      title="Trades"
      note={note}
      className="trades"
      empty={trades.length === 0 ? "No copy yet. The first follows the next trade of a followed leader." : null}
    >
      <table className="cards">
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Ours</th>
            <th scope="col">Leader's</th>
            <th scope="col" className="number">
              Delay
            </th>
            <th scope="col">Transaction</th>
            <th scope="col">When</th>
          </tr>
        </thead>
        <tbody>
          {trades.map((trade) => (
            <tr key={trade.id}>
              <td data-label="Status">
                <span className={`status ${trade.status}`}>{trade.status}</span>
                {trade.reason ? <span className="muted reason"> {trade.reason}</span> : null}
              </td>
              <td data-label="Ours">
                <Exchange input={trade.input} output={trade.output} />
              </td>
              <td data-label="Leader's">
                {trade.leader_trade ? (
                  <>
                    <Exchange input={trade.leader_trade.input} output={trade.leader_trade.output} />{" "}
                    <code className="muted" title={trade.leader_trade.leader}>
                      {short(trade.leader_trade.leader)}
                    </code>
                  </>
                ) : (
                  <span className="muted">{trade.cause.replaceAll("_", " ")}</span>
                )}
              </td>
              <td data-label="Delay" className="number">
                {trade.delay_slots === null ? "–" : `${trade.delay_slots} slots`}
              </td>
              <td data-label="Transaction">
                {trade.signature ? <code title={trade.signature}>{short(trade.signature)}</code> : "–"}
              </td>
              <td data-label="When" className="muted">
                <time dateTime={trade.updated_at} title={trade.updated_at}>
                  {ago(trade.updated_at, now)}
                </time>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
