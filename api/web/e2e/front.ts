/*
 * What stands between a browser and Hark: a proxy that puts it below a path, a
 * network that answers in its place, a server that is slow, and the next version
 * of the app.
 */
import { createServer, type IncomingMessage, request as ask, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Build } from "./build";

export const portalPage = "<!doctype html><title>Café</title><h1>Welcome to the café</h1><p>Accept our terms to go on.";

type Answer = (answer: ServerResponse, name: string) => void;
const html = { "Content-Type": "text/html; charset=utf-8" };

/** What networks and proxies say in Hark's place. */
export const instead = {
  "502": (answer) => answer.writeHead(502, html).end("<html><h1>502 Bad Gateway</h1></html>"),
  "503": (answer) => answer.writeHead(503, html).end("<html><h1>Maintenance</h1></html>"),
  "504": (answer) => answer.writeHead(504).end(),
  "511": (answer) => answer.writeHead(511, html).end(portalPage),
  "a redirect elsewhere": (answer) => answer.writeHead(302, { Location: "http://portal.invalid/login" }).end(),
  "a redirect here": (answer, name) => (name.endsWith("login") ? answer.writeHead(200, html).end(portalPage) : answer.writeHead(302, { Location: "login" }).end()),
  "200 with its page": (answer) => answer.writeHead(200, { ...html, "Cache-Control": "public, max-age=86400" }).end(portalPage),
  "200 with nothing": (answer) => answer.writeHead(200, { "Content-Length": 0 }).end(),
  "nothing for long": () => {},
} satisfies Record<string, Answer>;

export class Front {
  /** Where Hark listens. */
  target = "";
  /** Answers in its place, while it is set; those for which it says false go on. */
  instead: Answer | undefined;
  only: (name: string) => boolean = () => true;
  /** The build of the app that is served in place of Hark's own. */
  build: Build | undefined;

  private constructor(
    private readonly server: Server,
    readonly path: string,
    private readonly takeOff: boolean,
  ) {}

  /** Listens on a port of its own, below a path, which it takes off before it asks Hark. */
  static async start(path = "", { takeOff = true } = {}): Promise<Front> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const front = new Front(server, path, takeOff);
    server.on("request", (came: IncomingMessage, answer: ServerResponse) => front.handle(came, answer));
    return front;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}${this.path}`;
  }

  /** Ends all connections, as a server that restarts does. */
  cut() {
    this.server.closeAllConnections();
  }

  stop() {
    this.cut();
    this.server.close();
  }

  private handle(came: IncomingMessage, answer: ServerResponse) {
    if (came.url === this.path) return void answer.writeHead(308, { Location: `${this.path}/` }).end();
    if (!came.url!.startsWith(`${this.path}/`)) return void answer.writeHead(404).end("another program's");
    const rest = came.url!.slice(this.path.length);
    const name = rest.slice(1).replace(/\?.*/, "");
    if (this.instead && this.only(name)) return void this.instead(answer, name);
    if (this.build?.answer(name, answer)) return;
    const going = ask(this.target + (this.takeOff ? rest : came.url!), { method: came.method, headers: came.headers }, (got) => {
      answer.writeHead(got.statusCode!, got.headers);
      got.pipe(answer);
    });
    going.on("error", () => (answer.headersSent ? answer.destroy() : answer.writeHead(502, html).end("<html><h1>502 Bad Gateway</h1></html>")));
    answer.on("close", () => going.destroy());
    came.pipe(going);
  }
}
