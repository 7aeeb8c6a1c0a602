/** The dashboard: who is worth copying, what the vault holds, what was done and what was left alone, and why. */
import { Decisions } from "./Decisions";
import { Header } from "./Header";
import { Leaders } from "./Leaders";
import { MyVault } from "./MyVault";
import type { Overview } from "./overview";
import { Stopped } from "./Stopped";
import { Trades } from "./Trades";
import { useAccount } from "./useAccount";
import { useOverview } from "./useOverview";
import { Vaults } from "./Vaults";

export function App({ initial }: { initial: Overview }) {
  const { overview, readAt, error, refresh } = useOverview(initial);
  const signedIn = useAccount();
  return (
    <>
      <Header overview={overview} readAt={readAt} error={error} signedIn={signedIn} onChanged={refresh} />
      <main>
        {signedIn.account ? (
          <MyVault account={signedIn.account} signedIn={signedIn} environment={overview.mode.environment} />
        ) : null}
        <Stopped stopped={overview.bot.kill_switch_stopped} now={readAt} />
        <Leaders leaders={overview.leaders} scoring={overview.scoring} />
        <Vaults vaults={overview.vaults} />
        <Trades trades={overview.trades} totals={overview.totals} now={readAt} />
        <Decisions decisions={overview.decisions} totals={overview.totals} now={readAt} />
      </main>
      <footer>
        <p>
          XORJ shows what the chain and its own books say. Scores are estimates, not promises; copying can lose money.
        </p>
      </footer>
    </>
  );
}
