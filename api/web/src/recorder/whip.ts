/*
 * The live connection: WHIP (RFC 9725) and the data channel "hark". It says
 * once that it is live, and once that it is broken for good.
 */
import { connectWithin } from "./decide";

export interface Caption {
  segment: number;
  final: boolean;
  start_ms: number;
  end_ms: number;
  text: string;
}

export type News =
  | { type: "hello"; message_id: string; captions: boolean }
  | { type: "kept"; ms: number }
  | ({ type: "caption" } & Caption)
  | { type: "paused" | "resumed" }
  | { type: "ending"; reason: string; in_ms: number }
  | { type: "ended"; reason: string };

interface Hears {
  /** The message exists on the server. */
  onMessage(message: string, session: string): void;
  onLive(): void;
  /** Nothing more will come through. */
  onBroken(): void;
  onNews(news: News): void;
}

export class WhipLink {
  private readonly peer = new RTCPeerConnection();
  private readonly channel = this.peer.createDataChannel("hark");
  private over = false;
  private timer: ReturnType<typeof setTimeout>;

  constructor(conversation: string, stream: MediaStream, private readonly hears: Hears) {
    this.peer.addTransceiver(stream.getAudioTracks()[0]!, { direction: "sendonly", streams: [stream] });
    this.timer = setTimeout(() => this.fail(), connectWithin);
    this.channel.onmessage = ({ data }) => this.hears.onNews(JSON.parse(String(data)) as News);
    this.channel.onclose = () => this.fail();
    this.peer.onconnectionstatechange = () => {
      if (this.peer.connectionState === "connected") this.connected();
      if (this.peer.connectionState === "failed") this.fail();
    };
    this.offer(conversation).catch(() => this.fail());
  }

  pause() {
    this.say("pause");
  }

  resume() {
    this.say("resume");
  }

  /** Lets go of the connection. The server is told by who settles the message. */
  close() {
    this.over = true;
    clearTimeout(this.timer);
    this.peer.close();
  }

  private async offer(conversation: string) {
    await this.peer.setLocalDescription();
    const answer = await fetch(`/v1/conversations/${conversation}/whip?captions=private`, {
      method: "POST", body: this.peer.localDescription!.sdp, headers: { "Content-Type": "application/sdp" },
    });
    if (answer.status !== 201) throw new Error(`WHIP: ${answer.status}`);
    const session = answer.headers.get("Location")!;
    if (this.over) {
      await fetch(session, { method: "DELETE" }); // too late: nothing was said in it, and it is dropped
      return;
    }
    this.hears.onMessage(answer.headers.get("Hark-Message-Id")!, session);
    await this.peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  }

  private say(type: "pause" | "resume") {
    if (this.channel.readyState === "open") this.channel.send(JSON.stringify({ type }));
    else this.channel.addEventListener("open", () => this.channel.send(JSON.stringify({ type })), { once: true });
  }

  private connected() {
    if (this.over) return;
    clearTimeout(this.timer);
    this.hears.onLive();
  }

  private fail() {
    if (this.over) return;
    this.close();
    this.hears.onBroken();
  }
}
