/*
 * What this browser remembers between visits. It may have been written by
 * another version, or by anybody at the keyboard; it may be full or forbidden.
 */
type Where = () => Storage;
const local: Where = () => localStorage; // which throws where it is forbidden

/** What is remembered, where it has the form that is expected. */
export function recall<T extends object>(key: string, isRight: (value: Partial<T>) => boolean, where = local): T | undefined {
  try {
    const value = JSON.parse(where().getItem(key) ?? "null") as Partial<T> | null;
    return typeof value === "object" && value && !Array.isArray(value) && isRight(value) ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

/** Remembers; false says that there is no room, or that it may not. */
export function remember(key: string, value: object, where = local): boolean {
  try {
    where().setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

export function forgetKey(key: string, where = local) {
  try {
    where().removeItem(key);
  } catch {
    // then nothing was remembered
  }
}
