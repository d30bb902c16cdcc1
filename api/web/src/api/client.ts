/*
 * Asking Hark: the calls of its API, typed by its own description, and what can
 * go wrong with them.
 */
import createClient from "openapi-fetch";

import { base } from "../base";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type Conversation = Schemas["Conversation"];
export type Hit = Schemas["Hit"];
export type Me = Schemas["Me"];
export type Member = Schemas["Member"];
export type Message = Schemas["Message"];
export type NewToken = Schemas["NewToken"];
export type SearchResults = Schemas["SearchResults"];
export type Segment = Schemas["Segment"];
export type Token = Schemas["Token"];
export type Transcript = Schemas["Transcript"];
export type User = Schemas["User"];

export const api = createClient<paths>({ baseUrl: base });

/** What kind of trouble it is, for people: each calls for another next step. */
export type Kind = "offline" | "signed-out" | "missing" | "refused" | "broken";

export class Trouble extends Error {
  constructor(
    readonly kind: Kind,
    readonly code = "",
    detail = "",
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
    throw new Trouble("offline");
  }
  if (answer.response.ok) return answer.data as T;
  const problem = answer.error as Partial<Schemas["Problem"]> | undefined;
  throw new Trouble(kindOf(answer.response.status), problem?.code, problem?.detail);
}

function kindOf(status: number): Kind {
  if (status === 401) return "signed-out";
  if (status === 404) return "missing";
  return status >= 500 ? "broken" : "refused";
}

/** Whatever was thrown, as trouble. */
export function troubleOf(thrown: unknown): Trouble {
  return thrown instanceof Trouble ? thrown : new Trouble("broken", "", String(thrown));
}

export const isAbort = (thrown: unknown) => thrown instanceof DOMException && thrown.name === "AbortError";
