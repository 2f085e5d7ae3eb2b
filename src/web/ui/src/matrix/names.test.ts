import { describe, expect, it } from "vitest";

import { ago, dayName, daysBetween, fileSize, initials, listNames, localpart, shortTime, toneOf } from "./names";

describe("names", () => {
  it("takes the localpart of a user id", () => {
    expect(localpart("@anna.b:example.org")).toBe("anna.b");
    expect(localpart("no id")).toBe("no id");
  });

  it("makes one or two letters of a name, whole ones", () => {
    expect(initials("Anna Maria Berg")).toBe("AB");
    expect(initials("anna")).toBe("A");
    expect(initials("@ben:h")).toBe("B");
    expect(initials("👩‍🚀 Mission")).toBe("👩‍🚀M");
    expect(initials("")).toBe("?");
    expect(initials("Anna Maria Berg", 1)).toBe("A");
    expect(initials("e\u0301lan")).toBe("E\u0301");
  });

  it("gives everybody a colour that stays", () => {
    expect(toneOf("@a:h")).toBe(toneOf("@a:h"));
    const tones = new Set(Array.from({ length: 200 }, (_, n) => toneOf(`@user${n}:h`)));
    expect(tones.size).toBe(8);
  });

  it("lists names, and counts the rest", () => {
    expect(listNames([])).toBe("");
    expect(listNames(["A"])).toBe("A");
    expect(listNames(["A", "B"])).toBe("A and B");
    expect(listNames(["A", "B", "C"])).toBe("A, B and C");
    expect(listNames(["A", "B", "C", "D"])).toBe("A, B, C and 1 other");
    expect(listNames(["A", "B", "C", "D", "E"])).toBe("A, B, C and 2 others");
  });
});

describe("times", () => {
  const noon = new Date(2026, 5, 10, 12).getTime();
  const day = 86_400_000;

  it("counts days by the calendar", () => {
    expect(daysBetween(new Date(2026, 5, 9, 23, 59).getTime(), new Date(2026, 5, 10, 0, 1).getTime())).toBe(1);
    expect(daysBetween(new Date(2026, 2, 28, 12).getTime(), new Date(2026, 2, 30, 12).getTime())).toBe(2);
  });

  it("names days", () => {
    expect(dayName(noon, noon)).toBe("Today");
    expect(dayName(noon - day, noon)).toBe("Yesterday");
    expect(dayName(noon - 3 * day, noon)).toMatch(/day$/);
    expect(dayName(noon - 400 * day, noon)).toContain("2025");
    expect(dayName(noon + 2 * day, noon)).toContain("2026");
  });

  it("is short in lists", () => {
    expect(shortTime(noon, noon)).toContain("12");
    expect(shortTime(noon - 2 * day, noon)).toHaveLength(3);
  });

  it("says how long ago", () => {
    expect([30_000, 120_000, 3_600_000, 7_200_000, day, 3 * day].map(ago)).toEqual([
      "just now", "2 min ago", "1 hour ago", "2 hours ago", "yesterday", "3 days ago",
    ]); // prettier-ignore
  });
});

it("writes sizes of files", () => {
  expect([0, 999, 1000, 15_500, 999_900, 2_340_000, 5e9].map(fileSize)).toEqual([
    "0 B", "999 B", "1.0 kB", "16 kB", "1.0 MB", "2.3 MB", "5.0 GB",
  ]); // prettier-ignore
});
