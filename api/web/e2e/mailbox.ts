/* A mail server that takes every mail (RFC 5321), for tests to read. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

interface Mail {
  to: string;
  text: string; // with its headers; quoted-printable is undone
}

export class Mailbox {
  private readonly mails: Mail[] = [];
  private readonly waiting = new Set<() => void>();
  private constructor(private readonly server: Server) {}

  static async start(): Promise<Mailbox> {
    const server = createServer();
    const box = new Mailbox(server);
    server.on("connection", (socket) => box.serve(socket));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return box;
  }

  /** The settings by which a Hark sends here. */
  get settings(): Record<string, string> {
    return { HARK_SMTP_URL: `smtp://127.0.0.1:${(this.server.address() as AddressInfo).port}`, HARK_SMTP_TLS: "off", HARK_MAIL_FROM: "hark@example.org" };
  }

  stop() {
    this.server.close();
  }

  /** The first mail to an address that says something, when it has come; it is not given again. */
  async next(to: string, says: RegExp): Promise<string> {
    for (;;) {
      const at = this.mails.findIndex((mail) => mail.to === to && says.test(mail.text));
      if (at >= 0) return this.mails.splice(at, 1)[0]!.text;
      await new Promise<void>((come) => this.waiting.add(come));
    }
  }

  private serve(socket: Socket) {
    let [held, to, body] = ["", "", ""];
    let inData = false;
    const say = (line: string) => socket.write(`${line}\r\n`);
    const line = (text: string) => {
      if (inData && text === ".") {
        inData = false;
        this.take({ to, text: body.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))) });
        body = "";
        return say("250 taken");
      }
      if (inData) return (body += `${text.replace(/^\.\./, ".")}\r\n`);
      to = /^RCPT TO:<(.*?)>/i.exec(text)?.[1] ?? to;
      inData = /^DATA/i.test(text);
      if (/^QUIT/i.test(text)) return socket.end("221 bye\r\n");
      return say(inData ? "354 go on" : "250 fine");
    };
    say("220 here");
    socket.on("data", (chunk) => {
      held += chunk.toString();
      const lines = held.split("\r\n");
      held = lines.pop()!;
      for (const one of lines) line(one);
    });
    socket.on("error", () => {}); // who goes away has no mail to take
  }

  private take(mail: Mail) {
    this.mails.push(mail);
    for (const come of this.waiting) come();
    this.waiting.clear();
  }
}
