/* Tells the pages about the workspace's people that something changed there, here or elsewhere. */
export type Change = { what: "members" | "invitations" | "all"; data?: Record<string, unknown> };

class Roster {
  private readonly heard = new Set<(change: Change) => void>();

  /** Calls back at each change; returns a way to stop. */
  listen(then: (change: Change) => void): () => void {
    this.heard.add(then);
    return () => this.heard.delete(then);
  }

  tell(what: Change["what"], data?: Record<string, unknown>) {
    for (const then of this.heard) then({ what, ...(data && { data }) });
  }
}

export const roster = new Roster();
