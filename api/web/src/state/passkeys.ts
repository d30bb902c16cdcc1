/*
 * Passkeys, as this browser and its authenticators make and use them (WebAuthn,
 * level 3), and whether they can here.
 */
import { api, take, type Account, type Passkey } from "../api/client";

/** Why there can be no passkeys here. */
export type Without = "insecure" | "no_domain" | "elsewhere" | "unsupported";

/** Why this page cannot use passkeys; undefined where it can. */
export function without(account: Account): Without | undefined {
  if (account.passkey_trouble) return account.passkey_trouble;
  if (location.origin !== account.passkey_origin) return "elsewhere";
  return window.PublicKeyCredential && "parseCreationOptionsFromJSON" in PublicKeyCredential ? undefined : "unsupported";
}

/** Has an authenticator make a passkey, and Hark keep it. */
export async function addPasskey(): Promise<Passkey> {
  const { public_key: options, state } = await take(api.POST("/v1/passkeys/options"));
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as unknown as PublicKeyCredentialCreationOptionsJSON);
  const credential = jsonOf(await navigator.credentials.create({ publicKey }));
  return take(api.POST("/v1/passkeys", { body: { state, credential } }));
}

/** Has an authenticator prove who is here, by a passkey of theirs. */
export async function proveByPasskey() {
  const { public_key: options, state } = await take(api.POST("/v1/step-up/options"));
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as unknown as PublicKeyCredentialRequestOptionsJSON);
  const credential = jsonOf(await navigator.credentials.get({ publicKey }));
  await take(api.POST("/v1/step-up", { body: { passkey: { state, credential } } }));
}

const jsonOf = (credential: Credential | null) => (credential as PublicKeyCredential).toJSON() as unknown as Record<string, unknown>;

/** Whether the person, or their authenticator, did not want to, or took too long. */
export const declined = (thrown: unknown) => thrown instanceof DOMException && (thrown.name === "NotAllowedError" || thrown.name === "AbortError");

/** Whether the authenticator has a passkey of theirs already. */
export const hasOne = (thrown: unknown) => thrown instanceof DOMException && thrown.name === "InvalidStateError";
