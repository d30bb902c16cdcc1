import { expect, test } from "vitest";

import { fragment, half, iceServers, restarted } from "./ice";

const sdp = (...lines: string[]) => lines.map((line) => `${line}\r\n`).join("");

test("ICE servers are read from Link headers, whatever is in a password", () => {
  const header = [
    '<stun:stun.example.org:3478>; rel="ice-server"',
    '<turn:turn.example.org:3478?transport=udp>; rel="ice-server"; username="ada, or; so"; credential="say \\"it\\", \\\\once"; credential-type="password"',
    '<https://example.org/next>; rel="next"',
  ].join(", ");
  expect(iceServers(header)).toEqual([
    { urls: "stun:stun.example.org:3478" },
    { urls: "turn:turn.example.org:3478?transport=udp", username: "ada, or; so", credential: 'say "it", \\once' },
  ]);
  expect(iceServers(null)).toEqual([]);
  expect(iceServers("nonsense")).toEqual([]);
});

const offer = sdp("v=0", "a=group:BUNDLE 0 1", "m=audio 9 UDP/TLS/RTP/SAVPF 111 63", "a=ice-ufrag:mine", "a=ice-pwd:myPassword", "a=mid:0", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=ice-ufrag:mine", "a=ice-pwd:myPassword", "a=mid:1");

test("a fragment tells candidates and whose they are", () => {
  const mine = half(offer);
  expect(mine).toEqual({ ufrag: "mine", pwd: "myPassword", candidates: [] });
  const candidates = ["candidate:1 1 udp 2113937151 192.0.2.1 54400 typ host"];
  expect(fragment(offer, { ...mine, candidates }, true)).toBe(
    sdp("a=group:BUNDLE 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111 63", "a=mid:0", "a=ice-ufrag:mine", "a=ice-pwd:myPassword", `a=${candidates[0]}`, "a=end-of-candidates"),
  );
  expect(fragment(offer, { ...mine, candidates }, false)).not.toContain("end-of-candidates");
});

test("after a restart the answer has the new half in every section, and the old in none", () => {
  const answer = sdp(
    "v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=ice-ufrag:old", "a=ice-pwd:oldPassword", "a=setup:passive", "a=candidate:1 1 udp 1 192.0.2.1 1 typ host", "a=end-of-candidates",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:1", "a=ice-ufrag:old", "a=ice-pwd:oldPassword",
  );
  const theirs = half(sdp("a=ice-ufrag:new", "a=ice-pwd:newPassword", "a=candidate:2 1 udp 2 192.0.2.2 2 typ host"));
  expect(restarted(answer, theirs)).toBe(
    sdp(
      "v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=ice-ufrag:new", "a=ice-pwd:newPassword", "a=candidate:2 1 udp 2 192.0.2.2 2 typ host", "a=end-of-candidates", "a=setup:passive",
      "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:1", "a=ice-ufrag:new", "a=ice-pwd:newPassword",
    ),
  );
});
