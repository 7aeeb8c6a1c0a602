/** What each vault holds and who may act on it. Only its owner can withdraw, whatever stands here. */
import { amount, change, dollars, short } from "./format";
import type { Vault } from "./overview";
import { Section } from "./Section";

const BASE_DECIMALS = 6;

export function Vaults({ vaults }: { vaults: Vault[] }) {
  return (
    <Section
      title="Vault"
      className="vaults"
      empty={vaults.length === 0 ? "No vault yet. Deploy one and deposit to begin." : null}
    >
      {vaults.map((vault) => (
        <article key={vault.address}>
          <p className="vault-line">
            <strong className="number">{dollars(vault.value_usd)}</strong>
            <Gain vault={vault} />
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

/** What it is worth beyond what its owner put in, with its sign. */
function Gain({ vault }: { vault: Vault }) {
  if (vault.pnl_usd === null) return null;
  const direction = vault.pnl_usd > 0 ? "gain" : vault.pnl_usd < 0 ? "loss" : "muted";
  return (
    <span className={`number ${direction}`} title="Worth now less deposits, plus withdrawals">
      {change(vault.pnl_usd)} on {amount(vault.net_deposited_raw, BASE_DECIMALS)} USDC deposited
    </span>
  );
}

function state(vault: Vault): string {
  if (!vault.is_active) return "deactivated";
  if (vault.paused) return "paused";
  return vault.bot_authority ? "bot granted" : "no bot";
}
