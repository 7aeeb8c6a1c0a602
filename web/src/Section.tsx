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
      {empty ? <p className="muted">{empty}</p> : <div className="scroll">{children}</div>}
    </section>
  );
}
