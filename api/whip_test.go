package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"

	"hark/api/messages"
	"hark/api/recorder"
	"hark/api/rest"
	"hark/media/whip"
	"hark/media/whip/whiptest"
	"hark/storage"
	storagespool "hark/storage/spool"
	"hark/storage/sqldb"
)

// tracks is a spool as the recorder asks for one.
type tracks struct{ *storagespool.Spool }

func (s tracks) Create(ctx context.Context, id, key string, channels int) (recorder.Track, error) {
	return s.Spool.Create(ctx, id, key, channels)
}

// liveHarness is a harness that one can speak into.
func liveHarness(t *testing.T, cfg recorder.Config, more ...options) *harness {
	t.Helper()
	must(t, startParts())
	var grace time.Duration
	for _, o := range more {
		grace = max(grace, o.grace)
	}
	return newHarness(t, append(more, options{deps: func(d *Deps) {
		d.Logger.Info("live")
		webrtc, err := whip.Listen(t.Context(), whip.Config{
			UDP: "127.0.0.1:0", Logger: d.Logger, Grace: grace, Public: []string{"127.0.0.1"},
			ICEServers: []whip.ICEServer{{URLs: []string{"stun:stun.example.org:3478"}}},
		})
		must(t, err)
		spool, err := storagespool.Open(storagespool.Config{Dir: t.TempDir(), Objects: sharedObjects, Logger: d.Logger})
		must(t, err)
		db := d.Records.Live.(*sqldb.DB)
		live, err := recorder.New(recorder.Deps{
			WebRTC: webrtc, Spool: tracks{spool}, Records: recorder.Records{Access: db, Recordings: db, Abandoned: db}, Bus: sharedBus,
			Registry: prometheus.NewRegistry(), Logger: d.Logger,
		}, cfg)
		must(t, err)
		d.Live = live
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() {
			live.Run(ctx)
			close(stopped)
		}()
		t.Cleanup(func() {
			stop()
			<-stopped
			grace, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := errors.Join(live.Close(grace), webrtc.Close(), spool.Close()); err != nil {
				t.Error(err)
			}
		})
	}})...)
}

// speaker is somebody who speaks, and hears what comes back.
type speaker struct {
	*whiptest.Speaker
	t       *testing.T
	message string
	heard   chan map[string]any
}

func (c *client) speak(conversation, query string) *speaker {
	c.t.Helper()
	s := &speaker{t: c.t, heard: make(chan map[string]any, 100)}
	var err error
	s.Speaker, err = whiptest.Dial(c.t.Context(), whiptest.Config{
		URL: c.harness.http.URL + "/v1/conversations/" + conversation + "/whip" + query, Token: c.token, Trickle: true, Channel: true,
		OnMessage: func(text []byte) {
			var m map[string]any
			if err := json.Unmarshal(text, &m); err != nil {
				c.t.Errorf("%s: %v", text, err)
			}
			s.heard <- m
		},
	})
	must(c.t, err)
	c.t.Cleanup(s.Vanish)
	s.message = s.Header().Get("Hark-Message-Id")
	return s
}

// hears waits for a message of a type.
func (s *speaker) hears(kind string) map[string]any {
	s.t.Helper()
	for late := time.After(time.Minute); ; {
		select {
		case m := <-s.heard:
			if m["type"] == kind {
				return m
			}
		case <-late:
			s.t.Fatalf("no %q came", kind)
		}
	}
}

// say speaks a tone in real time.
func (s *speaker) say(length time.Duration) {
	s.t.Helper()
	pcm := make([]float32, int(length.Seconds()*48000))
	for i := range pcm {
		pcm[i] = float32(0.3 * math.Sin(2*math.Pi*440*float64(i)/48000))
	}
	packets, err := whiptest.Encode(pcm, 48000)
	must(s.t, err)
	must(s.t, s.Say(s.t.Context(), packets))
}

// awaitState waits until a message is in a state; "" means gone.
func (c *client) awaitState(id string, state storage.State) messages.Message {
	c.t.Helper()
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(10 * time.Millisecond) {
		a := c.get("/v1/messages/" + id)
		if a.status == http.StatusNotFound && state == "" {
			return messages.Message{}
		}
		if msg := decode[messages.Message](a); a.status == http.StatusOK && msg.State == state {
			return msg
		}
	}
	c.t.Fatalf("message %s did not become %q", id, state)
	return messages.Message{}
}

func TestSpeak(t *testing.T) {
	h := liveHarness(t, recorder.Config{})
	mia := h.user("Mia", storage.RoleMember)
	conversation := h.owner.conversation(mia)
	s := h.owner.speak(conversation, "?title=The+bridge&captions=conversation")
	header := s.Header()
	if !strings.HasPrefix(header.Get("Location"), "/v1/whip/") || header.Get("ETag") == "" || header.Get("Content-Type") != "application/sdp" ||
		header.Get("Accept-Patch") != "application/trickle-ice-sdpfrag, application/json" || !strings.Contains(header.Get("Link"), `stun:stun.example.org:3478>; rel="ice-server"`) {
		t.Errorf("answered with %v", header)
	}
	if hello := s.hears("hello"); hello["message_id"] != s.message || hello["captions"] != false {
		t.Errorf("greeted with %v", hello)
	}
	listed := decode[rest.Page[messages.Message]](mia.get("/v1/conversations/" + conversation + "/messages").want(200)).Items
	if len(listed) != 1 || listed[0].ID != s.message || listed[0].State != storage.Recording || listed[0].Title != "The bridge" {
		t.Errorf("listed as %+v", listed)
	}
	h.owner.get("/v1/messages/"+s.message+"/audio").problem(404, "not_found")
	s.say(time.Second)
	if kept := s.hears("kept"); kept["ms"].(float64) <= 0 {
		t.Errorf("told %v", kept)
	}
	must(t, s.SetPaused(t.Context(), true))
	s.hears("paused")
	s.say(time.Second)
	must(t, s.SetPaused(t.Context(), false))
	s.hears("resumed")
	s.say(time.Second)
	session := strings.TrimPrefix(s.Location(), h.http.URL)
	h.owner.send("DELETE", session, nil).want(200)
	if ended := s.hears("ended"); ended["reason"] != "stopped" {
		t.Errorf("told %v", ended)
	}
	msg := h.owner.awaitState(s.message, storage.Received)
	if ms := *msg.DurationMS; ms < 1900 || ms > 2100 || msg.EndReason != "" || !strings.HasPrefix(msg.Original.MediaType, "audio/ogg") {
		t.Errorf("%d ms, %+v", ms, msg)
	}
	if sound := mia.get("/v1/messages/" + s.message + "/audio?format=original").want(200); !bytes.HasPrefix(sound.body, []byte("OggS")) {
		t.Errorf("plays %.20q", sound.body)
	}
	h.owner.send("DELETE", session, nil).problem(404, "not_found")
}

func TestSpeakAndDelete(t *testing.T) {
	h := liveHarness(t, recorder.Config{})
	conversation := h.owner.conversation()
	s := h.owner.speak(conversation, "")
	s.say(100 * time.Millisecond)
	h.owner.send("DELETE", "/v1/messages/"+s.message, nil).want(204)
	if ended := s.hears("ended"); ended["reason"] != "deleted" {
		t.Errorf("told %v", ended)
	}
	s = h.owner.speak(conversation, "")
	s.say(100 * time.Millisecond)
	h.owner.send("DELETE", "/v1/conversations/"+conversation, nil).want(204)
	if ended := s.hears("ended"); ended["reason"] != "deleted" {
		t.Errorf("told %v", ended)
	}
}

// offerOf makes an offer of these kinds of media.
func offerOf(t *testing.T, kinds ...webrtc.RTPCodecType) string {
	t.Helper()
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	defer pc.Close()
	_, err = pc.CreateDataChannel("hark", nil)
	must(t, err)
	for _, kind := range kinds {
		_, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		must(t, err)
	}
	offer, err := pc.CreateOffer(nil)
	must(t, err)
	return offer.SDP
}

func TestRefusedOffers(t *testing.T) {
	h := liveHarness(t, recorder.Config{PerUser: 1})
	conversation := h.owner.conversation()
	mia := h.user("Mia", storage.RoleMember)
	nobody := *h.owner
	nobody.token = ""
	audio := offerOf(t, webrtc.RTPCodecTypeAudio)
	path := "/v1/conversations/" + conversation + "/whip"
	for name, c := range map[string]struct {
		who         *client
		path        string
		contentType string
		offer       string
		status      int
		code        string
	}{
		"nobody":              {&nobody, path, "application/sdp", audio, 401, "unauthorized"},
		"not a member":        {mia, path, "application/sdp", audio, 404, "not_found"},
		"no conversation":     {h.owner, "/v1/conversations/" + storage.NewID() + "/whip", "application/sdp", audio, 404, "not_found"},
		"no type":             {h.owner, path, "", audio, 415, "unsupported_media_type"},
		"another type":        {h.owner, path, "text/plain", audio, 415, "unsupported_media_type"},
		"nothing":             {h.owner, path, "application/sdp", "", 400, "bad_offer"},
		"garbage":             {h.owner, path, "application/sdp", "v=0\r\nnonsense", 400, "bad_offer"},
		"not text":            {h.owner, path, "application/sdp", "v=0\xff\xfe", 400, "bad_request"},
		"no audio":            {h.owner, path, "application/sdp", offerOf(t), 406, "offer_not_acceptable"},
		"only video":          {h.owner, path, "application/sdp", offerOf(t, webrtc.RTPCodecTypeVideo), 406, "offer_not_acceptable"},
		"codecs that we lack": {h.owner, path, "application/sdp", strings.ReplaceAll(audio, "opus/48000/2", "speex/16000"), 406, "offer_not_acceptable"},
		"only listening":      {h.owner, path, "application/sdp", strings.ReplaceAll(audio, "a=sendonly", "a=recvonly"), 406, "offer_not_acceptable"},
		"65 KiB":              {h.owner, path, "application/sdp", audio + strings.Repeat("a=x\r\n", 13<<10), 413, "too_large"},
		"long title":          {h.owner, path + "?title=" + strings.Repeat("x", 201), "application/sdp", audio, 422, "validation_failed"},
		"reply to nothing":    {h.owner, path + "?reply_to=" + storage.NewID(), "application/sdp", audio, 422, "validation_failed"},
		"place that is none":  {h.owner, path + "?reply_at_ms=soon", "application/sdp", audio, 422, "validation_failed"},
		"captions for whom":   {h.owner, path + "?captions=all", "application/sdp", audio, 422, "validation_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			a := c.who.send("POST", c.path, strings.NewReader(c.offer), "Content-Type", c.contentType)
			if p := a.problem(c.status, c.code); !strings.HasSuffix(strings.TrimSpace(p.Detail), ".") {
				t.Errorf("%q is no sentence", p.Detail)
			}
			if c.status == 415 && a.header.Get("Accept-Post") != "application/sdp" {
				t.Errorf("Accept-Post is %q", a.header.Get("Accept-Post"))
			}
		})
	}
	t.Run("10 MB", func(t *testing.T) { h.offerTenMegabytes(t, path) })
	if left := decode[rest.Page[messages.Message]](h.owner.get("/v1/conversations/" + conversation + "/messages").want(200)).Items; len(left) > 0 {
		t.Errorf("left behind: %+v", left)
	}
	// The place is still free: with video beside it, sound is taken and video is turned down.
	both := h.owner.send("POST", path, strings.NewReader(offerOf(t, webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio)), "Content-Type", "application/sdp").want(201)
	if !strings.Contains(string(both.body), "m=video 0 ") {
		t.Errorf("video is not turned down: %s", both.body)
	}
	if p := h.owner.send("POST", path, strings.NewReader(audio), "Content-Type", "application/sdp").problem(429, "too_many_recordings"); p.Detail == "" {
		t.Error("nothing is said")
	}
	// Who offered and never speaks leaves nothing.
	h.owner.send("DELETE", both.header.Get("Location"), nil).want(200)
	h.owner.awaitState(both.header.Get("Hark-Message-Id"), "")
}

// offerTenMegabytes sends bodies that are refused before they are read whole.
// Without a length one has to be read to be known; 64 KiB are enough.
func (h *harness) offerTenMegabytes(t *testing.T, path string) {
	for _, body := range []io.Reader{
		bytes.NewReader(make([]byte, 10<<20)), io.MultiReader(bytes.NewReader(bytes.Repeat([]byte("a=x\r\n"), 2<<20))),
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", h.http.URL+path, body)
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+h.owner.token)
		req.Header.Set("Content-Type", "application/sdp")
		resp, err := h.owner.http.Do(req)
		if err != nil {
			continue // the answer was lost with the connection, which is closed under us
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge || !resp.Close {
			t.Errorf("status %d, and the connection closes: %v", resp.StatusCode, resp.Close)
		}
	}
}

func TestPatchSession(t *testing.T) {
	h := liveHarness(t, recorder.Config{})
	conversation := h.owner.conversation()
	mia := h.user("Mia", storage.RoleMember)
	a := h.owner.send("POST", "/v1/conversations/"+conversation+"/whip", strings.NewReader(offerOf(t, webrtc.RTPCodecTypeAudio)), "Content-Type", "application/sdp").want(201)
	session, tag := a.header.Get("Location"), a.header.Get("ETag")
	const candidate = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:1\r\na=candidate:1 1 udp 2113937151 127.0.0.1 50000 typ host\r\n"
	const restart = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\n" + candidate
	for _, c := range []struct {
		name, contentType, body, ifMatch string
		status                           int
		code                             string
	}{
		{"no type", "", candidate, tag, 415, "unsupported_media_type"},
		{"another type", "application/sdp", candidate, tag, 415, "unsupported_media_type"},
		{"no If-Match", "application/trickle-ice-sdpfrag", candidate, "", 428, "precondition_required"},
		{"another If-Match", "application/trickle-ice-sdpfrag", candidate, `"other"`, 412, "precondition_failed"},
		{"garbage", "application/trickle-ice-sdpfrag", "garbage", tag, 400, "bad_request"},
		{"half a credential", "application/trickle-ice-sdpfrag", "a=ice-ufrag:abcd\r\n" + candidate, tag, 422, "validation_failed"},
		{"65 KiB", "application/trickle-ice-sdpfrag", strings.Repeat("a", 65<<10), tag, 413, "too_large"},
		{"no JSON", "application/json", "{", "", 400, "bad_request"},
		{"not what it is", "application/json", `{"paused":"yes"}`, "", 422, "validation_failed"},
		{"nothing asked", "application/json", "{}", "", 422, "validation_failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.owner.send("PATCH", session, strings.NewReader(c.body), "Content-Type", c.contentType, "If-Match", c.ifMatch)
			a.problem(c.status, c.code)
			if c.status == 415 && a.header.Get("Accept-Patch") != "application/trickle-ice-sdpfrag, application/json" {
				t.Errorf("Accept-Patch is %q", a.header.Get("Accept-Patch"))
			}
		})
	}
	h.owner.send("PATCH", session, strings.NewReader(candidate), "Content-Type", "application/trickle-ice-sdpfrag", "If-Match", tag).want(204)
	h.owner.send("PATCH", session, strings.NewReader(candidate), "Content-Type", "application/trickle-ice-sdpfrag", "ETag", tag).want(204)
	again := h.owner.send("PATCH", session, strings.NewReader(restart), "Content-Type", "application/trickle-ice-sdpfrag", "If-Match", "*").want(200)
	if again.header.Get("Content-Type") != "application/trickle-ice-sdpfrag" || again.header.Get("ETag") == "" || again.header.Get("ETag") == tag ||
		!strings.Contains(string(again.body), "a=ice-ufrag:") {
		t.Errorf("%v: %s", again.header, again.body)
	}
	h.owner.send("PATCH", session, strings.NewReader(candidate), "Content-Type", "application/trickle-ice-sdpfrag", "If-Match", tag).problem(412, "precondition_failed")
	h.owner.send("PATCH", session, strings.NewReader(`{"paused":true}`), "Content-Type", "application/json").want(204)
	for _, method := range []string{"PATCH", "DELETE"} {
		mia.send(method, session, strings.NewReader("{}"), "Content-Type", "application/json").problem(404, "not_found")
		h.stranger().send(method, session, nil).problem(404, "not_found")
		h.owner.send(method, "/v1/whip/none", nil).problem(404, "not_found")
	}
	if strings.Contains(h.log.String(), strings.TrimPrefix(session, "/v1/whip/")) {
		t.Error("the session's name is in the log")
	}
	h.owner.get(session).problem(405, "method_not_allowed")
	h.owner.send("DELETE", session, nil).want(200)
}

func TestLiveRecordingOff(t *testing.T) {
	h := newHarness(t)
	path := "/v1/conversations/" + h.owner.conversation() + "/whip"
	p := h.owner.send("POST", path, strings.NewReader("v=0"), "Content-Type", "application/sdp").problem(501, "live_recording_off")
	if !strings.Contains(p.Detail, "HARK_WEBRTC_UDP") {
		t.Errorf("%q does not name the setting", p.Detail)
	}
	h.owner.send("DELETE", "/v1/whip/none", nil).problem(404, "not_found")
}
