/*
 * Who is at the keyboard: the same in all tabs of a browser, which share its
 * cookie. What is kept of who it is tells the others at once when that changes.
 */
import { base } from "../base";
import { api, type Me, take, type Trouble, troubleOf } from "../api/client";
import { kept } from "./kept.svelte";
import { forget, isPerson, known, knownUser, lastPlace, onKnown, rememberMe } from "./known";
import { prefs } from "./prefs.svelte";

/** How long an answer is waited for before one goes on with what is known, in ms. */
export const patience = 3000;

class Session {
  me = $state.raw<Me>();
  phase = $state<"asking" | "in" | "out" | "trouble">("asking");
  trouble = $state.raw<Trouble>();
  sure = false; // the server said who it is
  private left = ""; // id of the workspace in which somebody was
  private switched = false; // and is in another now
  private kept = false; // this browser knows who it is
  private readonly leaving: (() => void)[] = [];

  async ask() {
    this.phase = "asking";
    await this.find();
  }

  /** Has something forgotten when somebody is not signed in any more. */
  whenOut(leave: () => void) {
    this.leaving.push(leave);
  }

  /** Whether it is still the same: the page was asleep, or a new connection may be another's. */
  check() {
    this.look();
    if (this.phase !== "asking") void this.find();
  }

  /** Takes in another name or role of who it is, or another name of their workspace, or its rules. */
  renamed({ user_id: id, name, role, workspace_name: workspace, rules }: Record<string, unknown>) {
    if (!this.me) return;
    if (id === this.me.id) this.be({ ...this.me, name: String(name), role: (role as Me["role"] | undefined) ?? this.me.role });
    if (workspace !== undefined) this.be({ ...this.me, workspace_name: String(workspace) });
    if (rules) this.be({ ...this.me, rules: rules as Me["rules"] });
  }

  /** The server says what is known of who it is. */
  be(me: Me) {
    this.me = me;
    if (me.language) prefs.language = me.language; // chosen, wherever that was; this browser keeps it for its first paint
    rememberMe(me);
  }

  /** They have a way to sign in on their own from now on, or have none any more. */
  signsIn(now = true) {
    if (this.me) this.be({ ...this.me, needs_sign_in: !now });
  }

  /** Hears what other tabs do; returns a way to stop. */
  listen(): () => void {
    const stop = onKnown(() => this.look());
    const shown = () => document.hidden || this.look() || (this.phase === "out" && this.check());
    const restored = (event: PageTransitionEvent) => event.persisted && this.check();
    document.addEventListener("visibilitychange", shown);
    addEventListener("pageshow", restored);
    return () => {
      stop();
      document.removeEventListener("visibilitychange", shown);
      removeEventListener("pageshow", restored);
    };
  }

  /** Signs out; tells where to go for the provider's session to end too, if it began at one. */
  async signOut(): Promise<string | undefined> {
    const { end_session_url: there } = await take(api.POST("/v1/sign-out", { keepalive: true })); // also when the page is closed right after
    this.end();
    return there;
  }

  /** Nobody is signed in any more, says the server. */
  end() {
    if (this.phase === "out") return;
    const user = this.me?.id;
    this.leave();
    if (!user || knownUser() === user) forget(); // else somebody else has come meanwhile
  }

  /** What this browser knows was changed by another tab. */
  private look() {
    const user = knownUser();
    if (this.phase === "in" && this.kept && user !== this.me?.id) {
      this.leave(user);
      if (!user) void this.find(); // it may have been a mistake
    }
    if (this.phase === "out" && user) this.enter();
  }

  private async find() {
    const { phase } = this;
    const late = setTimeout(() => this.phase === "asking" && this.assume(), patience);
    try {
      const me = await take(api.GET("/v1/me"));
      if (phase === "out" || (this.me && this.me.id !== me.id)) return this.enter(me);
      if (this.phase === "out") return; // another tab has signed out meanwhile
      this.be(me);
      this.phase = "in";
      this.sure = true;
      kept.begin(me.id);
      this.kept = knownUser() === me.id;
    } catch (thrown) {
      if (this.phase !== "out") this.missed(troubleOf(thrown));
    } finally {
      clearTimeout(late);
    }
  }

  /** Somebody is signed in, or somebody else: the app begins anew, with nothing of before. Of another workspace it shows where they were there. */
  private enter(me = known()?.me) {
    this.leave(me?.id);
    if (me) rememberMe(me);
    if (!me || !this.left || me.workspace_id === this.left) return location.reload();
    location.replace(base + lastPlace(me.id));
  }

  private leave(next = "") {
    this.switched ||= isPerson(this.me?.id ?? "", next);
    this.left = this.me?.workspace_id ?? this.left;
    this.me = undefined;
    this.kept = this.sure = false;
    this.phase = "out";
    if (this.switched) kept.rest();
    else kept.wipe();
    for (const leave of this.leaving) leave();
  }

  /** Without a connection whoever was here last may speak: it is sent when the server knows them. */
  private missed(trouble: Trouble) {
    this.trouble = trouble;
    if (trouble.kind === "signed-out") return this.end();
    if (this.phase === "in") return; // it is known who it is
    if (!this.assume()) this.phase = "trouble";
  }

  /** Takes whoever was here last for who is here now. */
  private assume(): boolean {
    this.me ??= known()?.me;
    if (!this.me) return false;
    kept.begin(this.me.id);
    this.phase = "in";
    return true;
  }
}

export const session = new Session();
