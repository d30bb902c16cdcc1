/* Times and lengths, as people read them. */

const two = (n: number) => String(n).padStart(2, "0");

/** A place in a recording: 0:07, 12:30, 1:02:03. */
export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(s / 3600);
  const minutes = Math.floor(s / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}

/** The same for a screen reader: "1 minute 5 seconds". */
export function spokenLength(ms: number, locale: string): string {
  const s = Math.max(0, Math.round(ms / 1000));
  const parts = ([[Math.floor(s / 3600), "hour"], [Math.floor(s / 60) % 60, "minute"], [s % 60, "second"]] as const)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(n));
  return parts.join(" ") || new Intl.NumberFormat(locale, { style: "unit", unit: "second", unitDisplay: "long" }).format(0);
}

/** How many midnights lie between two moments. */
export function daysBetween(earlier: Date, later: Date): number {
  const day = (d: Date) => Date.UTC(d.getFullYear(), d.getMonth(), d.getDate());
  return Math.round((day(later) - day(earlier)) / 86_400_000);
}

/** A day by the name that is nearest at hand: today, Monday, 3 March, 3 March 2024. */
export function dayName(at: Date, now: Date, locale: string): string {
  const ago = daysBetween(at, now);
  if (ago === 0 || ago === 1) return capital(new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-ago, "day"), locale);
  if (ago > 1 && ago < 7) return at.toLocaleDateString(locale, { weekday: "long" });
  return at.toLocaleDateString(locale, { day: "numeric", month: "long", ...(at.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) });
}

export function timeOfDay(at: Date, locale: string): string {
  return at.toLocaleTimeString(locale, { hour: "numeric", minute: "2-digit" });
}

/** For a list: the time today, the weekday this week, else the date. */
export function shortTime(at: Date, now: Date, locale: string): string {
  const ago = daysBetween(at, now);
  if (ago === 0) return timeOfDay(at, locale);
  if (ago > 0 && ago < 7) return at.toLocaleDateString(locale, { weekday: "short" });
  return at.toLocaleDateString(locale, at.getFullYear() === now.getFullYear() ? { day: "numeric", month: "short" } : { year: "2-digit", month: "numeric", day: "numeric" });
}

export function fullTime(at: Date, locale: string): string {
  return at.toLocaleString(locale, { dateStyle: "full", timeStyle: "short" });
}

const capital = (text: string, locale: string) => text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);

/** How long much sound is together: 12 min, 204 hr. */
export function soundLength(ms: number, locale: string): string {
  const minutes = ms / 60_000;
  const [amount, unit] = minutes < 120 ? [Math.ceil(minutes), "minute"] : [Math.round(minutes / 60), "hour"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" }).format(amount);
}
