/** What each vault holds and who may act on it. Only its owner can withdraw, whatever stands here. */
import { amount, dollars, short } from "./format";
import type { Overview, Vault } from "./overview";
import { Section } from "./Section";

export function Vaults({ vaults, totals }: { vaults: Vault[]; totals: Overview["totals"] }) {
  const note = `${totals.settled} settled, ${totals.unsettled} in flight`;
  return (
    <Section
      title="Vault"
      note={note}
      className="vaults"
      empty={vaults.length === 0 ? "No vault yet. Deploy one and deposit to begin." : null}
    >
      {vaults.map((vault) => (
        <article key={vault.address}>
          <p className="vault-line">
            <strong className="number">{dollars(vault.value_usd)}</strong>
            <span className="muted">
              <code title={vault.address}>{short(vault.address)}</code> · owner{" "}
              <code title={vault.owner}>{short(vault.owner)}</code>
            </span>
            <span className="tag">{state(vault)}</span>
          </p>
          <table>
            <thead>
              <tr>
                <th scope="col">Token</th>
                <th scope="col" className="number">
                  Amount
                </th>
                <th scope="col" className="number">
                  Value
                </th>
              </tr>
            </thead>
            <tbody>
              {vault.balances.map((balance) => (
                <tr key={balance.mint}>
                  <td title={balance.mint}>{balance.symbol}</td>
                  <td className="number">{amount(balance.amount_raw, balance.decimals)}</td>
                  <td className="number">{dollars(balance.value_usd)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </article>
      ))}
    </Section>
  );
}

function state(vault: Vault): string {
  if (!vault.is_active) return "deactivated";
  if (vault.paused) return "paused";
  return vault.bot_authority ? "bot granted" : "no bot";
}
