/** Our trades, each beside the leader's trade that it copies. */
import { ago, amount, short } from "./format";
import type { Amount, Trade } from "./overview";
import { Section } from "./Section";

export function Trades({ trades, now }: { trades: Trade[]; now: Date }) {
  return (
    <Section
      title="Trades"
      className="trades"
      empty={trades.length === 0 ? "No copy yet. The first follows the next trade of a followed leader." : null}
    >
      <table>
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
              <td>
                <span className={`status ${trade.status}`}>{trade.status}</span>
                {trade.reason ? <span className="muted"> {trade.reason}</span> : null}
              </td>
              <td>
                <Exchange input={trade.input} output={trade.output} />
              </td>
              <td>
                {trade.leader_trade ? (
                  <>
                    <Exchange input={trade.leader_trade.input} output={trade.leader_trade.output} />{" "}
                    <code className="muted" title={trade.leader_trade.leader}>
                      {short(trade.leader_trade.leader)}
                    </code>
                  </>
                ) : (
                  "–"
                )}
              </td>
              <td className="number">{trade.delay_slots === null ? "–" : `${trade.delay_slots} slots`}</td>
              <td>{trade.signature ? <code title={trade.signature}>{short(trade.signature)}</code> : "–"}</td>
              <td className="muted">
                <time dateTime={trade.updated_at}>{ago(trade.updated_at, now)}</time>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Exchange({ input, output }: { input: Amount; output: Amount | null }) {
  return (
    <span className="exchange">
      <Tokens of={input} /> <span aria-label="for">→</span> {output ? <Tokens of={output} /> : "…"}
    </span>
  );
}

function Tokens({ of }: { of: Amount }) {
  return (
    <span title={of.mint}>
      {of.amount_raw === null ? "" : `${amount(of.amount_raw, of.decimals)} `}
      {of.symbol}
    </span>
  );
}
