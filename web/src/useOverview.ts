/** Keeps the overview fresh: asks again after each answer, slower while the server does not answer or the tab is hidden. */
import { useCallback, useEffect, useRef, useState } from "react";
import { readOverview, type Overview } from "./overview";

export const REFRESH_MS = 2_000;
export const REFRESH_MS_MAX = 30_000;

export interface Freshness {
  overview: Overview;
  readAt: Date;
  error: string | null;
  refresh: () => void;
}

export function useOverview(initial: Overview): Freshness {
  const [overview, setOverview] = useState(initial);
  const [readAt, setReadAt] = useState(() => new Date());
  const [error, setError] = useState<string | null>(null);
  const wake = useRef<() => void>(() => undefined);

  useEffect(() => {
    let ended = false;
    let wait = REFRESH_MS;
    let timer: ReturnType<typeof setTimeout>;
    const step = async () => {
      try {
        const next = await readOverview();
        if (ended) return;
        setOverview(next);
        setReadAt(new Date());
        setError(null);
        wait = REFRESH_MS;
      } catch (failure) {
        if (ended) return;
        setError(failure instanceof Error ? failure.message : String(failure));
        wait = Math.min(wait * 2, REFRESH_MS_MAX);
      }
      schedule();
    };
    const schedule = () => {
      clearTimeout(timer);
      timer = setTimeout(() => void step(), document.hidden ? REFRESH_MS_MAX : wait);
    };
    wake.current = () => {
      clearTimeout(timer);
      void step();
    };
    const onVisible = () => {
      if (!document.hidden) wake.current();
    };
    document.addEventListener("visibilitychange", onVisible);
    schedule();
    return () => {
      ended = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, []);

  const refresh = useCallback(() => {
    wake.current();
  }, []);
  return { overview, readAt, error, refresh };
}
