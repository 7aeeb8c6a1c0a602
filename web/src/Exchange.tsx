/** What was given for what, in tokens. */
import { amount } from "./format";
import type { Amount } from "./overview";

export function Exchange({ input, output }: { input: Amount; output: Amount | null }) {
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
