/** Every leader trade we saw and what we made of it. What was not copied is here with its rule. */
import { useState } from "react";
import { ago, short } from "./format";
import type { Decision } from "./overview";
import { Section } from "./Section";

export function Decisions({ decisions, now }: { decisions: Decision[]; now: Date }) {
  const [onlyNotCopied, setOnlyNotCopied] = useState(false);
  const shown = onlyNotCopied
    ? decisions.filter((decision) => !["copied", "resized"].includes(decision.outcome))
    : decisions;
  return (
    <Section
      title="Decisions"
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
      <table>
        <thead>
          <tr>
            <th scope="col">Outcome</th>
            <th scope="col">Rule</th>
            <th scope="col">Numbers</th>
            <th scope="col">Leader</th>
            <th scope="col">When</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((decision) => (
            <tr key={decision.id}>
              <td>
                <span className={`status ${decision.outcome}`}>{decision.outcome}</span>
              </td>
              <td>{decision.rule}</td>
              <td className="muted">{numbers(decision.numbers)}</td>
              <td>
                <code title={decision.leader}>{short(decision.leader)}</code>
              </td>
              <td className="muted">
                <time dateTime={decision.created_at}>{ago(decision.created_at, now)}</time>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function numbers(values: Decision["numbers"]): string {
  return Object.entries(values)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${String(value)}`)
    .join(" · ");
}
