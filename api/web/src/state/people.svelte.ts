/*
 * Who is in the workspace, and how each is shown: everybody who shows a person
 * asks here, so that a new name is everywhere at once.
 */
import { SvelteMap } from "svelte/reactivity";

import { api, take, type User } from "../api/client";
import { initialsOf, type Named, tellApart } from "../logic/initials";

const pathOf = (id: unknown, what: string, version: unknown) => (version ? `/v1/users/${id}/${what}?v=${version}` : undefined);

class People {
  list = $state.raw<User[]>([]); // in the order of joining
  /** Names that were told since, of whom the list may not have. */
  private readonly told = new SvelteMap<string, string>();
  private readonly byId = $derived(new Map(this.list.map((person) => [person.id, person])));
  private readonly marks = $derived(tellApart(this.list));

  async read() {
    this.list = (await take(api.GET("/v1/users"))).items;
    this.told.clear();
  }

  /** Another one's tab, or nobody's. */
  clear() {
    this.list = [];
    this.told.clear();
  }

  /** Takes in that somebody has another name. */
  rename(id: string, name: string) {
    this.told.set(id, name);
    this.list = this.list.map((person) => (person.id === id ? { ...person, name } : person));
  }

  /** Takes in what the server says of somebody: their name, and what else comes with it. */
  change({ user_id: id, name, role, disabled, picture_version: picture, pronunciation_version: said }: Record<string, unknown>) {
    this.rename(String(id), String(name));
    if (role !== undefined) this.put({ id: String(id), role: role as User["role"], disabled: disabled === true });
    if (picture !== undefined) this.put({ id: String(id), picture: pathOf(id, "picture", picture), pronunciation: pathOf(id, "pronunciation", said) });
  }

  /** Takes in what is known of somebody now. */
  put(now: Partial<User> & { id: string }) {
    this.list = this.list.map((person) => (person.id === now.id ? { ...person, ...now } : person));
  }

  /** Where the picture of somebody is, and how their name is said; undefined where they have none. */
  picture = (id: string) => this.byId.get(id)?.picture;
  said = (id: string) => this.byId.get(id)?.pronunciation;

  /** What a person is called, wherever that comes from. */
  name = ({ id, name }: Named): string => this.marks.get(id)?.name ?? this.told.get(id) ?? name;

  initials = ({ id, name }: Named): string => this.marks.get(id)?.initials ?? initialsOf(this.told.get(id) ?? name);
}

export const people = new People();
