/** One card of the page: a heading, a note beside it, and either content or one sentence that says why there is none. */
import { useId, type ReactNode } from "react";

interface Props {
  title: string;
  note?: string;
  className: string;
  empty: string | null;
  children: ReactNode;
}

export function Section({ title, note, className, empty, children }: Props) {
  const id = useId();
  return (
    <section className={className} aria-labelledby={id}>
      <h2 id={id}>
        {title}
        {note ? <span className="muted"> {note}</span> : null}
      </h2>
      {empty ? (
        <p className="muted">{empty}</p>
      ) : (
        // A part that scrolls must be reachable by keyboard; the rule below knows no scrolling.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className="scroll" role="group" aria-labelledby={id} tabIndex={0}>
          {children}
        </div>
      )}
    </section>
  );
}
