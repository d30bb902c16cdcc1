/* What plays the sound: whether it was pulled out. */

/** Of MediaDeviceInfo what tells devices apart. All are empty before the microphone was allowed. */
export interface Output {
  deviceId: string;
  groupId: string;
}

/** Stand for another device in the list; which one changes. */
const aliases = new Set(["default", "communications"]);

/**
 * Whether the device that played is gone. A browser that names no default says
 * only which devices there are: then any that is gone counts.
 */
export function unplugged(before: readonly Output[], after: readonly Output[]): boolean {
  const there = new Set(after.map((output) => output.deviceId));
  const gone = before.filter(({ deviceId }) => deviceId && !aliases.has(deviceId) && !there.has(deviceId));
  const played = before.find(({ deviceId }) => deviceId === "default")?.groupId;
  return gone.some(({ groupId }) => !played || groupId === played);
}
