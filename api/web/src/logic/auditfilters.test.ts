import { expect, test } from "vitest";

import { addressOf, filtersOf, isFiltered, noFilters, queryOf } from "./auditfilters";

const at = (query: string) => filtersOf(new URLSearchParams(query));

test("an address says what is asked for, and what it does not know is left out", () => {
  const all = "actor=0197&action=sign_in&from=2026-03-01&to=2026-03-02";
  expect(addressOf(at(all))).toBe(`/settings/audit?${all}`);
  expect(addressOf(at("from=yesterday&to=2026-3-1&limit=9"))).toBe("/settings/audit");
  expect([isFiltered(noFilters), isFiltered(at("action=x"))]).toEqual([false, true]);
});

test("days are those of who asks, from midnight to midnight", () => {
  const { from, to } = queryOf(at("from=2026-03-29&to=2026-03-29"));
  expect(from).toBe(new Date(2026, 2, 29).toISOString());
  expect(to).toBe(new Date(2026, 2, 30).toISOString());
  expect(queryOf(at("to=2026-12-31")).to).toBe(new Date(2027, 0, 1).toISOString());
  expect(queryOf(noFilters)).toEqual({});
});
