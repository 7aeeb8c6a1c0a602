// Starts a fresh local chain in a temporary folder, as its own process, and stops it again.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const startMilliseconds = 30_000;

export async function startLocalChain() {
  const folder = await mkdtemp(join(tmpdir(), "xorj-web3js-"));
  const port = await freePair();
  const python = process.env.XORJ_PYTHON ?? join(root, ".venv", "bin", "python");
  const program = ["-m", "tests.fakes.localnet_process", folder, String(port), String(port + 1), "50"];
  const child = spawn(python, program, { cwd: root, env: { ...process.env, PYTHONPATH: join(root, "src") }, stdio: "inherit" });
  const url = `http://127.0.0.1:${port}`;
  await answers(url, child);
  return {
    url,
    async stop() {
      child.kill("SIGTERM");
      await new Promise((done) => (child.exitCode === null ? child.once("exit", done) : done()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(url, child) {
  const deadline = Date.now() + startMilliseconds;
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "getHealth" });
  while (child.exitCode === null && Date.now() < deadline) {
    try {
      const reply = await fetch(url, { method: "POST", body, headers: { "content-type": "application/json" } });
      if ((await reply.json()).result === "ok") return;
    } catch {
      await new Promise((done) => setTimeout(done, 50));
    }
  }
  throw new Error("the local chain did not start");
}

// web3.js subscribes at the port after the one it posts to
async function freePair() {
  for (;;) {
    const first = await listening(0);
    const port = first.address().port;
    const second = await listening(port + 1).catch(() => null);
    first.close();
    second?.close();
    if (second) return port;
  }
}

function listening(port) {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once("error", failed);
    server.listen(port, "127.0.0.1", () => done(server));
  });
}

// A node tells nothing of what happened before it heard of a subscription, and hears of them in order: once it tells of slots, it has
// heard of all that were made before.
export async function subscribed(connection) {
  const listener = await new Promise((done) => {
    const number = connection.onSlotChange(() => done(number));
  });
  await connection.removeSlotChangeListener(listener);
}

// web3.js has no public way to end its socket; one that finds the node gone tries again for ever, and keeps the process alive.
export function hangUp(connection) {
  connection?._rpcWebSocket.close();
}
