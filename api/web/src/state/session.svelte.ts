/* Who is at the keyboard. */
import { api, type Me, take, type Trouble, troubleOf } from "../api/client";
import { forget, known, rememberMe } from "./known";

class Session {
  me = $state.raw<Me>();
  phase = $state<"asking" | "in" | "out" | "trouble">("asking");
  trouble = $state.raw<Trouble>();
  private sure = false; // the server said who it is

  async ask() {
    this.phase = "asking";
    await this.find();
  }

  /** There is a connection: the server is asked who it is, if it was not yet. */
  confirm() {
    if (this.phase === "in" && !this.sure) void this.find();
  }

  private async find() {
    try {
      this.me = await take(api.GET("/v1/me"));
      this.sure = true;
      this.phase = "in";
      rememberMe(this.me);
    } catch (thrown) {
      this.missed(troubleOf(thrown));
    }
  }

  /** Without a connection whoever was here last may speak: it is sent when the server knows them. */
  private missed(trouble: Trouble) {
    this.trouble = trouble;
    if (trouble.kind === "signed-out") return this.end();
    this.me ??= known()?.me;
    this.phase = this.me ? "in" : "trouble";
  }

  async signOut() {
    await take(api.POST("/v1/sign-out"));
    this.end();
  }

  /** The server says that nobody is signed in any more. */
  end() {
    this.me = undefined;
    this.sure = false;
    this.phase = "out";
    forget();
  }
}

export const session = new Session();
