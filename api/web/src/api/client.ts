/*
 * Asking Hark: the calls of its API, typed by its own description, and what can
 * go wrong with them.
 */
import createClient from "openapi-fetch";

import { base } from "../base";
import { ServerClock } from "../logic/serverclock";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type Account = Schemas["Account"];
export type AuditListEntry = Schemas["AuditListEntry"];
export type Conversation = Schemas["Conversation"];
export type Gap = Schemas["Gap"];
export type Hit = Schemas["Hit"];
export type Integration = Schemas["Integration"];
export type Invitation = Schemas["Invitation"];
export type JoinedWorkspace = Schemas["JoinedWorkspace"];
export type Me = Schemas["Me"];
export type MemberUsage = Schemas["MemberUsage"];
export type Member = Schemas["Member"];
export type Message = Schemas["Message"];
export type NewInvitation = Schemas["NewInvitation"];
export type NewToken = Schemas["NewToken"];
export type OngoingRecording = Schemas["OngoingRecording"];
export type Passkey = Schemas["Passkey"];
export type SearchResults = Schemas["SearchResults"];
export type Segment = Schemas["Segment"];
export type Token = Schemas["Token"];
export type Transcript = Schemas["Transcript"];
export type User = Schemas["User"];
export type WorkspaceMember = Schemas["WorkspaceMember"];
export type Provisioning = Schemas["Provisioning"];
export type ProvisionedGroup = Schemas["ProvisionedGroup"];
export type ProviderToken = Schemas["ProviderToken"];
export type WorkspaceUsage = Schemas["WorkspaceUsage"];

/** An answer that takes longer does not come any more. */
const patience = 30_000; // ms

/** The server's clock. Whatever is decided by a time is decided by this one. */
export const serverClock = new ServerClock();

export const api = createClient<paths>({ baseUrl: base, fetch: ask });

async function ask(request: Request): Promise<Response> {
  const asked = Date.now();
  const answer = await fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(patience)]) });
  serverClock.note(answer.headers.get("Date"), asked);
  return answer;
}

/**
 * What kind of trouble it is, for people: each calls for another next step.
 * Intercepted means that something else answered in Hark's place.
 */
export type Kind = "offline" | "intercepted" | "signed-out" | "missing" | "too-often" | "refused" | "broken";

export class Trouble extends Error {
  constructor(
    readonly kind: Kind,
    readonly code = "",
    detail = "",
    /** What in the request is wrong, where that is one field. */
    readonly field = "",
  ) {
    super(detail || kind);
  }
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Takes what a call answers, or throws a {@link Trouble}. */
export async function take<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new Trouble(cause instanceof SyntaxError ? "intercepted" : "offline"); // what is no JSON is not ours
  }
  const { response, data } = answer;
  if (!isHarks(response)) throw new Trouble(response.status >= 500 && response.status !== networkSignIn ? "offline" : "intercepted");
  if (response.ok && data === undefined && response.status !== 204) throw new Trouble("intercepted"); // cut off on its way
  if (response.ok) return data as T;
  const problem = answer.error as Partial<Schemas["Problem"]> | undefined;
  if (response.status === 401 && !problem?.code) throw new Trouble("intercepted"); // a proxy's own door
  throw new Trouble(kindOf(response.status, problem?.code), problem?.code, problem?.detail, problem?.errors?.[0]?.field);
}

const networkSignIn = 511; // RFC 6585, section 6

/** Whether an answer is Hark's, and not that of a proxy or a network's sign-in page. */
export const isHarks = ({ headers }: Pick<Response, "headers">) => headers.has("Hark") || /\bjson\b/.test(headers.get("Content-Type") ?? "");

function kindOf(status: number, code?: string): Kind {
  if (status === 401) return "signed-out";
  if (code === "rate_limited") return "too-often";
  if (status === 404) return "missing";
  return status >= 500 ? "broken" : "refused";
}

/** Whatever was thrown, as trouble. */
export function troubleOf(thrown: unknown): Trouble {
  return thrown instanceof Trouble ? thrown : new Trouble("broken", "", String(thrown));
}

export const isAbort = (thrown: unknown) => thrown instanceof DOMException && thrown.name === "AbortError";
