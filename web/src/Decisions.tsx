/** Every leader trade we saw and what we made of it. What was not copied is here with its rule. */
import { useState } from "react";
import { Exchange } from "./Exchange";
import { ago, facts, short } from "./format";
import type { Decision, Overview } from "./overview";
import { Section } from "./Section";

interface Props {
  decisions: Decision[];
  totals: Overview["totals"];
  now: Date;
}

export function Decisions({ decisions, totals, now }: Props) {
  const [onlyNotCopied, setOnlyNotCopied] = useState(false);
  const shown = onlyNotCopied
    ? decisions.filter((decision) => !["copied", "resized"].includes(decision.outcome))
    : decisions;
  const note = `${totals.copied} copied, ${totals.resized} resized, ${totals.skipped} skipped, ${totals.refused} refused`;
  return (
    <Section
      title="Decisions"
      note={note}
      className="decisions"
      empty={decisions.length === 0 ? "No leader trade seen yet." : null}
    >
      <label className="filter">
        <input
          type="checkbox"
          checked={onlyNotCopied}
          onChange={(event) => {
            setOnlyNotCopied(event.target.checked);
          }}
        />{" "}
        Only what was not copied
      </label>
      <table className="cards">
        <thead>
          <tr>
            <th scope="col">Outcome</th>
            <th scope="col">Leader&apos;s trade</th>
            <th scope="col">Rule and its numbers</th>
            <th scope="col">When</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((decision) => (
            <tr key={decision.id}>
              <td data-label="Outcome">
                <span className={`status ${decision.outcome}`}>{decision.outcome}</span>
              </td>
              <td data-label="Leader's">
                <Exchange input={decision.input} output={decision.output} />{" "}
                <code className="muted" title={decision.leader}>
                  {short(decision.leader)}
                </code>
              </td>
              <td data-label="Rule" className="wraps">
                {decision.rule} <span className="muted facts">{facts(decision.numbers)}</span>
              </td>
              <td data-label="When" className="muted">
                <time dateTime={decision.created_at} title={decision.created_at}>
                  {ago(decision.created_at, now)}
                </time>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
