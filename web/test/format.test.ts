import { describe, expect, it } from "vitest";
import { ago, amount, change, dollars, facts, percent, rawAmount, short } from "../src/format";
import { base58 } from "../src/wallet";

describe("amounts", () => {
  it.each([
    ["0", 6, "0"],
    ["1", 6, "0.000001"],
    ["123456", 12, "0.0000001234"],
    ["1", 4, "0.0001"],
    ["1500000", 6, "1.5"],
    ["123456789012", 6, "123,456"],
    ["18446744073709551615", 9, "18,446,744,073"],
    ["7", 0, "7"],
    ["-2500000", 6, "−2.5"],
    ["999999", 6, "0.9999"],
    ["977780499", 6, "977.78"],
  ])("%s raw with %i decimals reads %s: cut off, never rounded up", (raw, decimals, expected) => {
    expect(amount(raw, decimals)).toBe(expected);
  });

  it.each([
    ["12.5", 6, "12500000"],
    ["1,000", 6, "1000000000"],
    [".5", 6, "500000"],
    ["7.", 0, "7"],
    ["0.0000001", 6, null],
    ["1.5", 0, null],
    ["", 6, null],
    [".", 6, null],
    ["-1", 6, null],
    ["1e3", 6, null],
    ["18446744073709551", 3, "18446744073709551000"],
  ])("%s typed for a token of %i decimals is %s base units", (typed, decimals, expected) => {
    expect(rawAmount(typed, decimals)).toBe(expected);
  });
});

describe("base58", () => {
  it.each([
    [[], ""],
    [[0, 0, 1], "112"],
    [[97], "2g"],
    [Array<number>(32).fill(0), "1".repeat(32)],
    [[...new TextEncoder().encode("Hello World!")], "2NEpo7TZRRrLZSi2U"],
  ])("of %s is %s", (bytes, expected) => {
    expect(base58(Uint8Array.from(bytes))).toBe(expected);
  });
});

describe("money and shares carry their sign", () => {
  it("says so for gains, losses and the unknown", () => {
    expect([dollars(1234.5), dollars(-0.5), dollars(null)]).toEqual(["$1,234.50", "−$0.50", "–"]);
    expect([percent(3.25), percent(-1), percent(0), percent(null)]).toEqual(["+3.3 %", "−1.0 %", "0.0 %", "–"]);
  });
});

describe("the numbers of a decision", () => {
  it("read as money, shares, counts and addresses", () => {
    const numbers = {
      leader_value_usd: "1234.5",
      allocation_bps: 2000,
      share_of_equity: "0.0148",
      sized_raw: "1475983",
      mint: "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
      age_slots: 7,
      close: { rule: "below one unit" },
    };
    expect(facts(numbers)).toBe(
      "leader value $1,234.50 · allocation 20.00 % · share of equity 1.48 % · sized raw 1,475,983 · mint EPjF…Dt1v · age slots 7 · close: rule below one unit",
    );
  });
  it("say whether it is a gain or a loss", () => {
    expect([change(0.25), change(-0.25), change(0)]).toEqual(["+$0.25", "−$0.25", "$0.00"]);
  });
});

describe("addresses and ages", () => {
  it("shortens what is long and leaves what is not", () => {
    expect([short("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"), short("abc")]).toEqual(["EPjF…Dt1v", "abc"]);
  });
  it("uses the coarsest unit that says something", () => {
    const now = new Date("2026-01-02T00:00:00Z");
    expect(ago("2026-01-01T23:59:30Z", now)).toBe("30 s ago");
    expect(ago("2026-01-01T22:30:00Z", now)).toBe("1 h ago");
    expect(ago("2026-01-02T00:00:05Z", now)).toBe("0 s ago");
  });
});
