/* A recogniser of its own for a Hark, that takes its time until it is let go. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const words = ["All", "in", "good", "time."].map((word, i) => ({ word, start: i * 0.5, end: i * 0.5 + 0.4 }));

export class Recogniser {
  /** Answers all that was asked, and all that is asked from now on. */
  finish = () => {};
  private readonly finished = new Promise<void>((resolve) => (this.finish = resolve));
  private asked = 0;
  private readonly server: Server;
  private watchers: (() => void)[] = [];

  private constructor() {
    this.server = createServer((request, response) => {
      request.resume();
      this.asked++;
      for (const watcher of this.watchers) watcher();
      void this.finished.then(() => response.setHeader("Content-Type", "application/json").end(JSON.stringify({ language: "en", duration: 10, text: "All in good time.", words })));
    });
  }

  static async start(): Promise<Recogniser> {
    const recogniser = new Recogniser();
    await new Promise<void>((listening) => recogniser.server.listen(0, "127.0.0.1", listening));
    return recogniser;
  }

  /** What a Hark must be told to use it. */
  get settings(): Record<string, string> {
    return { HARK_ENGINE: "openai", HARK_OPENAI_URL: `http://127.0.0.1:${(this.server.address() as AddressInfo).port}` };
  }

  /** Waits until it was asked n times. */
  async busy(n: number) {
    await new Promise<void>((resolve) => {
      const look = () => this.asked >= n && resolve();
      this.watchers.push(look);
      look();
    });
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
