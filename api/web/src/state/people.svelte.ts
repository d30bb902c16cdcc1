/*
 * Who is in the workspace, and how each is shown: everybody who shows a person
 * asks here, so that a new name is everywhere at once.
 */
import { SvelteMap } from "svelte/reactivity";

import { api, take, type User } from "../api/client";
import { initialsOf, type Named, tellApart } from "../logic/initials";

class People {
  list = $state.raw<User[]>([]); // in the order of joining
  /** Names that were told since, of whom the list may not have. */
  private readonly told = new SvelteMap<string, string>();
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
  change({ user_id: id, name, role, disabled }: Record<string, unknown>) {
    this.rename(String(id), String(name));
    if (role === undefined) return;
    this.list = this.list.map((person) => (person.id === id ? { ...person, role: role as User["role"], disabled: disabled === true } : person));
  }

  /** What a person is called, wherever that comes from. */
  name = ({ id, name }: Named): string => this.marks.get(id)?.name ?? this.told.get(id) ?? name;

  initials = ({ id, name }: Named): string => this.marks.get(id)?.initials ?? initialsOf(this.told.get(id) ?? name);
}

export const people = new People();
