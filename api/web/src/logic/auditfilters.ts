/* What of the audit log is asked for. The address of the page has it, so that it can be sent on. */
export interface AuditFilters {
  actor: string; // id of a user
  action: string;
  from: string; // days, such as 2026-03-01, where one is; both are meant
  to: string;
}

export const noFilters: AuditFilters = { actor: "", action: "", from: "", to: "" };

const names = ["actor", "action", "from", "to"] as const;

export const isFiltered = (filters: AuditFilters) => names.some((name) => filters[name]);

export function filtersOf(query: URLSearchParams): AuditFilters {
  const day = (name: string) => (midnight(query.get(name) ?? "") ? query.get(name)! : "");
  return { actor: query.get("actor") ?? "", action: query.get("action") ?? "", from: day("from"), to: day("to") };
}

export function addressOf(filters: AuditFilters): string {
  const query = new URLSearchParams(names.flatMap((name) => (filters[name] ? [[name, filters[name]]] : [])));
  return `/settings/audit${query.size ? `?${query.toString()}` : ""}`;
}

/** The same as the API takes it: from the midnight that begins the first day up to that which ends the last. */
export function queryOf({ actor, action, from, to }: AuditFilters): Record<string, string> {
  const [begin, end] = [midnight(from), midnight(to, 1)];
  return { ...(actor && { actor }), ...(action && { action }), ...(begin && { from: begin.toISOString() }), ...(end && { to: end.toISOString() }) };
}

/** When a day begins here, or one that is so many days later. Not each has 24 hours. */
function midnight(day: string, later = 0): Date | undefined {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  if (!year) return undefined;
  const at = new Date(Number(year), Number(month) - 1, Number(date) + later);
  return Number.isNaN(at.getTime()) || Number(year) < 100 ? undefined : at;
}
