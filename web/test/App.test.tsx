import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "../src/App";
import { REFRESH_MS } from "../src/useOverview";
import { sample } from "./sample";

const answers: { path: string; body: unknown }[] = [];
let next: (path: string) => Response;

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  answers.length = 0;
  next = () => Response.json(sample);
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) => {
    // A visitor: nobody is signed in.
    if (path === "/api/user/status") return Promise.resolve(Response.json({ title: "not signed in" }, { status: 401 }));
    answers.push({ path, body: typeof init?.body === "string" ? JSON.parse(init.body) : null });
    return Promise.resolve(next(path));
  });
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the dashboard", () => {
  it("says on every view that local funds are worthless", () => {
    render(<App initial={sample} />);
    expect(screen.getByText("local demo, worthless funds")).toBeTruthy();
  });

  it("shows our trade beside the leader's, and the vault in tokens", () => {
    render(<App initial={sample} />);
    const row = within(screen.getByRole("region", { name: /^Trades/ })).getAllByRole("row")[1];
    expect(row?.textContent).toContain("10 USDC → 1 BONK");
    expect(row?.textContent).toContain("100 USDC → 10 BONK");
    expect(row?.textContent).toContain("2 slots");
    expect(screen.getByText("490")).toBeTruthy();
  });

  it("can show only what was not copied, with its rule", () => {
    render(<App initial={sample} />);
    fireEvent.click(screen.getByLabelText("Only what was not copied"));
    expect(screen.queryByText("share of equity")).toBeNull();
    expect(screen.getByText("below the smallest trade")).toBeTruthy();
  });

  it("keeps showing the last state, marked as not fresh, while the server does not answer", async () => {
    next = () =>
      Response.json({ title: "Service unavailable", detail: "The database does not answer." }, { status: 503 });
    render(<App initial={sample} />);
    await vi.advanceTimersByTimeAsync(REFRESH_MS + 50);
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("The database does not answer.");
    expect(screen.getByText("below the smallest trade")).toBeTruthy();
  });
});

describe("while everything is stopped", () => {
  it("says of each vault what was done, with the transactions", async () => {
    const brake = { slot: 9, reason: "drill", detail: null };
    const vault = {
      vault: "7dBvCgVubkgUxnahctRWoc36xHt5TB33Eoc3633GeqJE",
      owner: "owner",
      paused: true,
      in_doubt: 0,
      brakes: [
        { ...brake, kind: "pause", status: "done", signature: "4oHHS8bt4pBwnP29", intent_id: null, nonce: null },
        { ...brake, kind: "burn", status: "sent", signature: "2Wfy15CMZjbxGRP8", intent_id: "i", nonce: 4 },
      ],
    };
    const bot = { ...sample.bot, kill_switch_stopped: true };
    next = (path) =>
      Response.json(
        path === "/api/bot/emergency"
          ? { success: true, message: "", stopped: true, complete: false, vaults: [vault], vaults_count: 1 }
          : { ...sample, bot },
      );
    render(<App initial={{ ...sample, bot }} />);
    const region = await screen.findByRole("region", { name: "Stopped" });
    expect(region.textContent).toContain("paused until its owner resumes it, no trade in doubt");
    expect(region.textContent).toContain("Paused on chain: done 4oHH…nP29");
    expect(region.textContent).toContain("Trade cancelled (nonce 4 burned): sent, not final yet 2Wfy…GRP8");
  });

  it("shows nothing of it while trading goes on", () => {
    render(<App initial={sample} />);
    expect(screen.queryByRole("region", { name: "Stopped" })).toBeNull();
    expect(answers).toEqual([]);
  });
});

describe("the stop button", () => {
  it("needs a reason, then writes stop with it", async () => {
    render(<App initial={sample} />);
    fireEvent.click(screen.getByRole("button", { name: "Stop…" }));
    const dialog = screen.getByRole("dialog", { name: "Stop all new trades?" });
    expect(dialog.textContent).toContain("Of 2 in flight, those that have not landed are cancelled");
    fireEvent.change(within(dialog).getByLabelText("Reason"), { target: { value: "drill" } });
    fireEvent.click(within(dialog).getByRole("button", { name: "Stop now" }));
    await waitFor(() => {
      expect(answers).toContainEqual({ path: "/api/bot/emergency", body: { action: "stop", reason: "drill" } });
    });
  });

  it("stays open and says why when the server refuses", async () => {
    next = () =>
      Response.json({ title: "Forbidden", detail: "Only an operator may stop.", request_id: "r1" }, { status: 403 });
    render(<App initial={sample} />);
    fireEvent.click(screen.getByRole("button", { name: "Stop…" }));
    fireEvent.change(screen.getByLabelText("Reason"), { target: { value: "drill" } });
    fireEvent.click(screen.getByRole("button", { name: "Stop now" }));
    expect(await screen.findByText("Only an operator may stop. (request r1)")).toBeTruthy();
  });
});
