/** What the page shows, as GET /api/overview gives it. Types come from the API's own description. */
import type { components } from "./api-types";

export type Overview = components["schemas"]["Overview"];
export type Leader = Overview["leaders"][number];
export type Vault = Overview["vaults"][number];
export type Trade = Overview["trades"][number];
export type Decision = Overview["decisions"][number];
export type Amount = Trade["input"];
export type Stopping = components["schemas"]["EmergencyResponse"];
export type VaultStop = Stopping["vaults"][number];

export interface Problem {
  title: string;
  detail?: string;
  request_id?: string;
  errors?: { field: string; rule: string }[];
}

const TIMEOUT_MS = 10_000;

/** The newest overview. Throws an Error whose message a person can read. */
export async function readOverview(): Promise<Overview> {
  return (await ask("/api/overview")) as Overview;
}

/** What was done for the stop in force, vault by vault. */
export async function readStopping(): Promise<Stopping> {
  return (await ask("/api/bot/emergency")) as Stopping;
}

/** Stops or resumes all new trades. Resolves when the server has written it down. */
export async function setEmergency(action: "stop" | "resume", reason: string): Promise<void> {
  await ask("/api/bot/emergency", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ action, reason }),
  });
}

/** What the API answers. Throws an Error whose message a person can read. */
export async function ask(path: string, init: RequestInit = {}): Promise<unknown> {
  const answer = await fetch(path, { ...init, credentials: "same-origin", signal: AbortSignal.timeout(TIMEOUT_MS) });
  const body: unknown = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(described(answer.status, body as Problem | null));
  return body;
}

function described(status: number, problem: Problem | null): string {
  if (!problem?.title) return `The server answered ${status}.`;
  const request = problem.request_id ? ` (request ${problem.request_id})` : "";
  const fields = (problem.errors ?? []).map(({ field, rule }) => ` ${field}: ${rule}.`).join("");
  return `${problem.detail ?? problem.title}${fields}${request}`;
}
