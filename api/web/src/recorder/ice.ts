/* What WHIP says about ICE beside offer and answer: servers in Link headers, fragments of SDP. */

/** One half of an ICE session, as SDP writes it. */
export interface Half {
  ufrag: string;
  pwd: string;
  candidates: string[]; // with "candidate:"
}

const link = /<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))*)/g;
const parameter = /;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))/g;

/** The STUN and TURN servers that Link headers name (RFC 9725, section 4.6). */
export function iceServers(header: string | null): RTCIceServer[] {
  return Array.from((header ?? "").matchAll(link)).flatMap(([, urls = "", rest = ""]) => {
    const said = new Map(Array.from(rest.matchAll(parameter), ([, name = "", quoted, plain]) => [name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? plain ?? ""]));
    if (!said.get("rel")?.split(/\s+/).includes("ice-server")) return [];
    const username = said.get("username");
    const credential = said.get("credential");
    return [{ urls, ...(username && { username }), ...(credential && { credential }) }];
  });
}

/** Reads the ICE half of a description or a fragment: credentials are the same in all its sections. */
export function half(sdp: string): Half {
  const all = (name: string) => Array.from(sdp.matchAll(new RegExp(`^a=(${name}:.*?)\\r?$`, "gm")), ([, line]) => line!);
  const first = (name: string) => all(name)[0]?.slice(name.length + 1) ?? "";
  return { ufrag: first("ice-ufrag"), pwd: first("ice-pwd"), candidates: all("candidate") };
}

/** Writes a fragment (RFC 8840, section 9) about the first section of an offer. */
export function fragment(offer: string, { ufrag, pwd, candidates }: Half, end: boolean): string {
  const mid = /^a=mid:(.*?)\r?$/m.exec(offer)?.[1] ?? "0";
  const section = /^m=.*?(?=\r?$)/m.exec(offer)![0];
  const lines = [`a=group:BUNDLE ${mid}`, section, `a=mid:${mid}`, `a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, ...candidates.map((candidate) => `a=${candidate}`)];
  return [...lines, ...(end ? ["a=end-of-candidates"] : []), ""].join("\r\n");
}

/** The answer with another ICE half, after a restart. */
export function restarted(answer: string, { ufrag, pwd, candidates }: Half): string {
  let told = false;
  return answer
    .replace(/^a=(?:candidate:.*|end-of-candidates)\r?\n/gm, "")
    .replace(/^a=ice-ufrag:.*?(?=\r?$)/gm, `a=ice-ufrag:${ufrag}`)
    .replace(/^a=ice-pwd:.*?(?=\r?$)/gm, () => {
      const here = told ? [] : [...candidates, "end-of-candidates"]; // what is bundled has one transport
      told = true;
      return [`ice-pwd:${pwd}`, ...here].map((line) => `a=${line}`).join("\r\n");
    });
}

/** Whether a server elsewhere can make something of a candidate: not of names that hide addresses. */
export const tellable = (candidate: RTCIceCandidate) => candidate.protocol === "udp" && !candidate.address?.endsWith(".local");
