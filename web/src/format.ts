/** Numbers as people read them. Raw amounts stay integers: no float touches money. */

const GROUP = /\B(?=(\d{3})+(?!\d))/g;
const MINUS = "−";

/** `raw` base units as whole tokens with at most `places` digits, cut off, never rounded up. */
export function amount(raw: string, decimals: number, places = 4): string {
  const value = BigInt(raw);
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals).replace(GROUP, ",");
  const fraction = digits.slice(digits.length - decimals, digits.length - decimals + Math.min(places, decimals));
  const trimmed = fraction.replace(/0+$/, "");
  return `${value < 0n ? MINUS : ""}${whole}${trimmed ? `.${trimmed}` : ""}`;
}

export function dollars(value: number | null): string {
  if (value === null) return "–";
  return `${value < 0 ? MINUS : ""}$${Math.abs(value).toFixed(2).replace(GROUP, ",")}`;
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
