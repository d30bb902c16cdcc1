/* Who is at the keyboard. */
import { api, type Me, take, type Trouble, troubleOf } from "../api/client";

class Session {
  me = $state.raw<Me>();
  phase = $state<"asking" | "in" | "out" | "trouble">("asking");
  trouble = $state.raw<Trouble>();

  async ask() {
    this.phase = "asking";
    try {
      this.me = await take(api.GET("/v1/me"));
      this.phase = "in";
    } catch (thrown) {
      this.trouble = troubleOf(thrown);
      this.phase = this.trouble.kind === "signed-out" ? "out" : "trouble";
    }
  }

  async signOut() {
    await take(api.POST("/v1/sign-out"));
    this.end();
  }

  /** The server says that nobody is signed in any more. */
  end() {
    this.me = undefined;
    this.phase = "out";
  }
}

export const session = new Session();
