/* What I show of myself, and integrations of themselves, sent to the server and taken in here. */
import { api, type Me, take, type User } from "../api/client";
import { people } from "./people.svelte";
import { session } from "./session.svelte";

type Patch = { name?: string; language?: string; time_zone?: string; quiet_hours?: Me["quiet_hours"] | null };

/** Changes some of it; throws a Trouble. */
export async function changeMe(patch: Patch): Promise<void> {
  session.be(await take(api.PATCH("/v1/me", { body: patch as never })));
}

const raw = (body: Blob) => ({ body: body as never, bodySerializer: (sent: unknown) => sent as Blob, headers: { "Content-Type": "application/octet-stream" } });

export const setPicture = async (file: Blob) => be(await take(api.PUT("/v1/me/picture", raw(file) as never)));
export const setSaid = async (sound: Blob) => be(await take(api.PUT("/v1/me/pronunciation", raw(sound) as never)));

/** Gives an integration a picture. */
export const setPictureOf = async (id: string, file: Blob) => be(await take(api.PUT("/v1/users/{id}/picture", { params: { path: { id } }, ...raw(file) } as never)));

export async function removePictureOf(id: string) {
  await take(api.DELETE("/v1/users/{id}/picture", { params: { path: { id } } }));
  be({ id, picture: undefined });
}

export async function removePicture() {
  await take(api.DELETE("/v1/me/picture"));
  be({ id: session.me!.id, picture: undefined });
}
export async function removeSaid() {
  await take(api.DELETE("/v1/me/pronunciation"));
  be({ id: session.me!.id, pronunciation: undefined });
}

function be(now: Partial<User> & { id: string }) {
  people.put(now);
}
