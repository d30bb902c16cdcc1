/* Server-sent events as they come in pieces (HTML Living Standard, section 9.2). */

export interface ServerSent {
  type: string;
  data: string;
  id?: string; // the place behind it, for events that are kept
}

interface Hears {
  /** The place in the stream: an id came without an event. */
  onPlace(id: string): void;
  onEvent(event: ServerSent): void;
}

/** Takes text in pieces of any size and tells of each event once it is whole. */
export class SSEParser {
  private rest = "";
  private type = "";
  private id: string | undefined;
  private data: string[] = [];

  constructor(private readonly hears: Hears) {}

  push(text: string) {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/); // a \r at the very end may be half of a \r\n
    this.rest = lines.pop()!;
    for (const line of lines) this.line(line);
  }

  private line(line: string) {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment, which shows only that the stream lives
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.type = value;
    if (field === "data") this.data.push(value);
    if (field === "id" && !value.includes("\0")) this.id = value;
  }

  private dispatch() {
    const { id, type, data } = this;
    this.id = undefined;
    this.type = "";
    this.data = [];
    if (data.length) this.hears.onEvent({ type: type || "message", data: data.join("\n"), ...(id !== undefined && { id }) });
    else if (id !== undefined) this.hears.onPlace(id);
  }
}
