/** Numbers as people read them. Raw amounts stay integers: no float touches money. */

const GROUP = /\B(?=(\d{3})+(?!\d))/g;
const MINUS = "−";

const FRACTION_DIGITS_MAX = 4;
const DIGITS_MAX = 6;

/** `raw` base units as whole tokens: about six digits, cut off, never rounded up. What is not zero never looks like it. */
export function amount(raw: string, decimals: number): string {
  const value = BigInt(raw);
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals);
  const leading = fraction.length - fraction.replace(/^0+/, "").length;
  const places =
    whole === "0"
      ? leading + FRACTION_DIGITS_MAX
      : Math.min(FRACTION_DIGITS_MAX, Math.max(0, DIGITS_MAX - whole.length));
  const shown = fraction.slice(0, places).replace(/0+$/, "");
  return `${value < 0n ? MINUS : ""}${whole.replace(GROUP, ",")}${shown ? `.${shown}` : ""}`;
}

/** What a person typed as whole tokens, in base units; null where it is no amount of this token. */
export function rawAmount(text: string, decimals: number): string | null {
  const found = /^(\d{1,18})?(?:[.](\d*))?$/.exec(text.trim().replaceAll(",", ""));
  const [, whole = "", fraction = ""] = found ?? [];
  if (!found || fraction.length > decimals || whole + fraction === "") return null;
  return BigInt(whole + fraction.padEnd(decimals, "0")).toString();
}

/** The numbers of a decision in one line; those of a leg stand behind its name. */
export function facts(numbers: Record<string, unknown>): string {
  return Object.entries(numbers)
    .map(([name, value]) =>
      typeof value === "object" && value !== null
        ? `${name}: ${facts(value as Record<string, unknown>)}`
        : fact(name, value),
    )
    .join(" · ");
}

/** One number with its name: money, shares, raw counts and addresses by the ending of the name. */
function fact(name: string, value: unknown): string {
  const text = String(value);
  if (/^-?\d+(\.\d+)?$/.test(text)) {
    if (name.endsWith("_usd")) return `${words(name.slice(0, -4))} ${dollars(Number(text))}`;
    if (name.endsWith("_bps")) return `${words(name.slice(0, -4))} ${(Number(text) / 100).toFixed(2)} %`;
    if (name.startsWith("share_")) return `${words(name)} ${(Number(text) * 100).toFixed(2)} %`;
    if (name.endsWith("_raw")) return `${words(name)} ${text.replace(GROUP, ",")}`;
  }
  return `${words(name)} ${/^[1-9A-HJ-NP-Za-km-z]{32,88}$/.test(text) ? short(text) : text}`;
}

function words(name: string): string {
  return name.replaceAll("_", " ");
}

export function dollars(value: number | null): string {
  if (value === null) return "–";
  return `${value < 0 ? MINUS : ""}$${Math.abs(value).toFixed(2).replace(GROUP, ",")}`;
}

/** Gain or loss in money, with its sign. */
export function change(value: number): string {
  return `${value > 0 ? "+" : ""}${dollars(value)}`;
}

/** A percentage with its sign, so that colour is never the only mark. */
export function percent(value: number | null, places = 1): string {
  if (value === null) return "–";
  const sign = value > 0 ? "+" : value < 0 ? MINUS : "";
  return `${sign}${Math.abs(value).toFixed(places)} %`;
}

export function short(address: string, ends = 4): string {
  return address.length <= ends * 2 + 1 ? address : `${address.slice(0, ends)}…${address.slice(-ends)}`;
}

/** How long ago `then` was, in the coarsest unit that says something. */
export function ago(then: string, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - new Date(then).getTime()) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
