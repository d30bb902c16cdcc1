/* Words to carry elsewhere: the address of a moment, and what was said there. */

/** The address of a message, at a moment of it. */
export function momentAddress(origin: string, id: string, ms = 0): string {
  const t = Math.max(0, Math.round(ms));
  return `${origin}/m/${id}${t ? `?t=${t}` : ""}`;
}

/** The moment in an address, in ms; undefined where it names none. */
export function momentOf(query: URLSearchParams): number | undefined {
  const t = query.get("t");
  if (!t || !/^\d{1,9}$/.test(t)) return undefined;
  return Number(t);
}

export function quotation(text: string, author: string, address: string): string {
  return `“${text}”\n— ${author}, ${address}`;
}
