// Package recorder makes messages of live recordings over WebRTC, each from its
// offer to its message.
//
// [Recorder.Begin] answers the offer (media/whip), records the message in state
// recording, and opens a track in the spool. From then on each packet goes to
// the track, which has it on this node's disk within a second and in the
// object store within a few, and to the live transcript, whose captions go to
// the speaker's data channel and, as passing events, to who may hear them.
// Neither is waited for.
//
// A recording ends exactly once, whatever ends it: the speaker, their network,
// a limit, the message's deletion, their leaving the conversation or being
// signed out, or a server that stops. Then the track is closed and put as one
// object while the transcript is finished, both are committed in one
// transaction, the job (which makes the rendition, and the transcript if there
// is none) is published, and the spool forgets. What of this fails is tried
// again in the background until it is done; the sound stays in the spool until
// it is committed.
//
// A recording belongs to its node by a lease in the records, which one call
// renews for all of them. What a killed process left is finished from the
// spool's files when the node starts again ([Recorder.Run]); what a node left
// that does not come back is claimed by another, minutes later, and finished
// from its pieces in the object store. A node that lost the records for so long
// that another claimed its recordings gives way: what the other committed
// stands, and what was said since is lost, which the log says.
//
// # Speaking from a page or a program
//
// Any WHIP client (RFC 9725) can speak a message. This is a complete recorder,
// for a page of Hark's own or of an origin in HARK_CORS_ORIGINS:
//
//	const pc = new RTCPeerConnection();
//	const mic = await navigator.mediaDevices.getUserMedia({ audio: true });
//	pc.addTransceiver(mic.getAudioTracks()[0], { direction: "sendonly", streams: [mic] });
//	const hark = pc.createDataChannel("hark");
//	hark.onmessage = (e) => {
//	  const m = JSON.parse(e.data);
//	  if (m.type === "caption") console.log(m.final ? "said:" : "…", m.segment, m.text);
//	  if (m.type === "kept") console.log("kept:", m.ms, "ms");
//	};
//	await pc.setLocalDescription();
//	const answer = await fetch(`${base}/v1/conversations/${conversation}/whip?captions=private`, {
//	  method: "POST", body: pc.localDescription.sdp,
//	  headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` },
//	});
//	await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
//	const session = new URL(answer.headers.get("Location"), base);
//	const message = answer.headers.get("Hark-Message-Id"); // listed as "recording" from now on
//
//	// When all is said:
//	await fetch(session, { method: "DELETE", headers: { Authorization: `Bearer ${token}` } });
//	pc.close();
//
// There is no need to wait for ICE candidates in the browser: it reaches Hark
// at the address in the answer. Clients that use trickle ICE can PATCH theirs
// (application/trickle-ice-sdpfrag, RFC 8840, with If-Match), and restart ICE
// by PATCH with "If-Match: *" when their network changes: it stays the same
// message. A session that is not heard waits 30 s for that, then ends with
// what was said.
//
// The data channel "hark" carries JSON objects, one per message. From Hark:
//
//	{"type": "hello", "message_id": "…", "captions": true}  it has begun; whether captions will come
//	{"type": "kept", "ms": 4200}                            so much is on disk; about once a second
//	{"type": "caption", "segment": 0, "final": false, "start_ms": 0, "end_ms": 900, "text": "…", "words": […]}
//	                                                        replaces the caption before it of the same segment
//	{"type": "paused"}, {"type": "resumed"}                 recording was paused or resumed, by whomever
//	{"type": "ending", "reason": "duration", "in_ms": 60000}  it will end soon
//	{"type": "ended", "reason": "stopped"}                  stopped, duration, idle, bit_rate, removed, signed_out,
//	                                                        deleted, disconnected, server_stopped or failed
//
// To Hark:
//
//	{"type": "pause"}, {"type": "resume"}  what is said between is left out; PATCH with {"paused": true} does the same
//	{"type": "stop"}                       the same as DELETE
//
// The speaker chooses who may see captions: captions=private (the default)
// shows them to the speaker alone, conversation to all who may hear the
// message, as message.caption events; off makes none and leaves the
// transcript to the workers.
package recorder
