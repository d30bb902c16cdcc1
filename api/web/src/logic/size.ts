/* How much room something takes, as people read it. */

const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** 312 bytes, 40 kB, 3.4 MB: in steps of a thousand, with a digit behind the point below ten. */
export function sizeOf(bytes: number, locale: string): string {
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const amount = bytes / 1000 ** step;
  return new Intl.NumberFormat(locale, { style: "unit", unit: units[step], unitDisplay: step ? "short" : "long", maximumFractionDigits: step && amount < 10 ? 1 : 0 }).format(amount);
}
