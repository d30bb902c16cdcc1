/* The microphone: opening it, which there are, and why it may not be had. */

export type Refusal = "denied" | "none" | "busy" | "insecure" | "unsupported";

export class NoMicrophone extends Error {
  constructor(readonly why: Refusal) {
    super(why);
  }
}

export interface Wish {
  input: string; // device id; empty is the system's own choice
  noise: boolean; // suppressed
}

/** Opens it as wished; a device that is gone gives way to the system's choice. */
export async function openMicrophone({ input, noise }: Wish): Promise<MediaStream> {
  if (!window.isSecureContext) throw new NoMicrophone("insecure");
  if (!navigator.mediaDevices || typeof MediaRecorder === "undefined") throw new NoMicrophone("unsupported");
  const open = (deviceId?: ConstrainDOMString) =>
    navigator.mediaDevices.getUserMedia({ audio: { ...(deviceId && { deviceId }), channelCount: 1, echoCancellation: noise, noiseSuppression: noise, autoGainControl: true } });
  try {
    return await open(input ? { ideal: input } : undefined);
  } catch (thrown) {
    throw new NoMicrophone(whyNot(thrown));
  }
}

function whyNot(thrown: unknown): Refusal {
  switch (thrown instanceof DOMException ? thrown.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "none";
    case "NotReadableError":
    case "AbortError":
      return "busy";
  }
  return "unsupported";
}

export interface Input {
  id: string;
  name: string;
}

/** The microphones there are; their names are known only once one was allowed. */
export async function inputs(): Promise<Input[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices.filter((d) => d.kind === "audioinput" && d.deviceId && d.deviceId !== "default" && d.deviceId !== "communications").map((d) => ({ id: d.deviceId, name: d.label }));
}

/** Which browser it is, for where its settings are. */
export function browser(agent = navigator.userAgent): "ios" | "safari" | "firefox" | "android" | "chrome" {
  if (/iPhone|iPad/.test(agent)) return "ios";
  if (/Firefox/.test(agent)) return "firefox";
  if (/Android/.test(agent)) return "android";
  return /Chrome|Chromium|Edg/.test(agent) ? "chrome" : "safari";
}
