/*
 * The live connection: WHIP (RFC 9725) and the data channel "hark". When the
 * network under it changes or falls silent, ICE is restarted on the same
 * message, for as long as the server waits for that; then it is broken for good.
 */
import { base } from "../base";
import { backWithin, connectWithin } from "./decide";
import { fragment, half, iceServers, restarted, tellable } from "./ice";

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
  /** What is said comes through: for the first time, or again. */
  onLive(): void;
  /** Nothing comes through for now. */
  onLost(): void;
  /** Nothing more will come through. */
  onBroken(): void;
  onNews(news: News): void;
}

const sdpType = { "Content-Type": "application/sdp" };
const fragmentType = { "Content-Type": "application/trickle-ice-sdpfrag" };
const collect = 100; // ms in which candidates are found that are told together
const patience = 5000; // ms for an answer to a restart
const betweenTries = 1000; // ms

export class WhipLink {
  private readonly peer = new RTCPeerConnection();
  private readonly channel = this.peer.createDataChannel("hark");
  private session = ""; // its address
  private etag = "";
  private answer = "";
  private candidates: string[] = [];
  private lost = false;
  private restarting = false;
  private over = false;
  private timer: ReturnType<typeof setTimeout>;
  private telling: ReturnType<typeof setTimeout> | undefined;
  private readonly off = new AbortController();

  constructor(conversation: string, stream: MediaStream, private readonly hears: Hears) {
    this.peer.addTransceiver(stream.getAudioTracks()[0]!, { direction: "sendonly", streams: [stream] });
    this.timer = setTimeout(() => this.fail(), connectWithin);
    this.channel.onmessage = ({ data }) => {
      if (this.lost) this.connected(); // it came through
      this.hears.onNews(JSON.parse(String(data)) as News);
    };
    this.channel.onclose = () => this.fail();
    this.peer.onicecandidate = ({ candidate }) => this.found(candidate);
    this.peer.onconnectionstatechange = () => {
      const { connectionState } = this.peer;
      if (connectionState === "connected") this.connected();
      if (connectionState === "disconnected" || connectionState === "failed") this.revive();
    };
    addEventListener("online", () => void this.restart(), { signal: this.off.signal });
    this.offer(conversation).catch(() => this.fail());
  }

  pause() {
    this.say("pause");
  }

  resume() {
    this.say("resume");
  }

  /** Nothing seems to come through: has it come through again, or be broken. */
  revive() {
    if (this.over) return;
    if (!this.lost) {
      this.lost = true;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.fail(), backWithin);
      this.hears.onLost();
    }
    void this.restart();
  }

  /** Lets go of the connection. The server is told by who settles the message. */
  close() {
    this.over = true;
    this.off.abort();
    clearTimeout(this.timer);
    clearTimeout(this.telling);
    this.peer.close();
  }

  private async offer(conversation: string) {
    // Candidates are looked for once the answer has told by which servers.
    const offer = await this.peer.createOffer();
    const answer = await fetch(`${base}/v1/conversations/${conversation}/whip?captions=private&draft=true`, { method: "POST", body: offer.sdp!, headers: sdpType });
    if (answer.status !== 201) throw new Error(`WHIP: ${answer.status}`);
    const session = answer.headers.get("Location")!;
    if (this.over) {
      await fetch(session, { method: "DELETE" }); // too late: nothing was said in it, and it is dropped
      return;
    }
    this.session = session;
    this.etag = answer.headers.get("ETag") ?? "";
    this.hears.onMessage(answer.headers.get("Hark-Message-Id")!, session);
    const servers = iceServers(answer.headers.get("Link"));
    if (servers.length) this.peer.setConfiguration({ ...this.peer.getConfiguration(), iceServers: servers });
    const sdp = await answer.text();
    await this.peer.setLocalDescription(offer);
    await this.peer.setRemoteDescription({ type: "answer", sdp });
    this.answer = sdp;
  }

  /** Looks for another way to the server, under the same encryption (RFC 9725, section 4.3.3). */
  private async restart() {
    if (this.restarting || this.over || !this.answer) return;
    this.restarting = true;
    while (!(await this.renegotiated()) && !this.over) await new Promise((wake) => setTimeout(wake, betweenTries));
    this.restarting = false;
  }

  /** Tries once; whether there is no more to try. */
  private async renegotiated(): Promise<boolean> {
    try {
      const offer = await this.peer.createOffer({ iceRestart: true });
      this.candidates = [];
      await this.peer.setLocalDescription(offer);
      const headers = { ...fragmentType, "If-Match": "*" };
      const answer = await fetch(this.session, { method: "PATCH", headers, body: fragment(offer.sdp!, half(offer.sdp!), false), signal: AbortSignal.timeout(patience) });
      if (answer.status >= 500) return false;
      if (answer.status !== 200) {
        this.fail(); // it has ended there
        return true;
      }
      this.etag = answer.headers.get("ETag") ?? "";
      this.answer = restarted(this.answer, half(await answer.text()));
      await this.peer.setRemoteDescription({ type: "answer", sdp: this.answer });
      this.tellSoon();
      return true;
    } catch {
      return false; // no network yet
    }
  }

  private found(candidate: RTCIceCandidate | null) {
    if (!candidate?.candidate || !tellable(candidate)) return;
    this.candidates.push(candidate.candidate);
    this.tellSoon();
  }

  private tellSoon() {
    this.telling ??= setTimeout(() => {
      this.telling = undefined;
      this.tell();
    }, collect);
  }

  /** Tells the server of the candidates that were found. It may do without. */
  private tell() {
    const { localDescription, signalingState } = this.peer;
    if (this.over || !this.candidates.length || !localDescription || signalingState !== "stable") return;
    const body = fragment(localDescription.sdp, { ...half(localDescription.sdp), candidates: this.candidates }, this.peer.iceGatheringState === "complete");
    this.candidates = [];
    fetch(this.session, { method: "PATCH", headers: { ...fragmentType, "If-Match": this.etag }, body }).catch(() => {});
  }

  private say(type: "pause" | "resume") {
    if (this.channel.readyState === "open") this.channel.send(JSON.stringify({ type }));
    else this.channel.addEventListener("open", () => this.channel.send(JSON.stringify({ type })), { once: true });
  }

  private connected() {
    if (this.over) return;
    clearTimeout(this.timer);
    this.lost = false;
    this.hears.onLive();
  }

  private fail() {
    if (this.over) return;
    this.close();
    this.hears.onBroken();
  }
}
