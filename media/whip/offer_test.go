package whip

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
)

// browserOffer is the offer of a browser, in testdata.
func browserOffer(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".sdp")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\n", "\r\n")
}

func TestParseOffer(t *testing.T) {
	chromium, err := parseOffer(browserOffer(t, "chromium"))
	if err != nil {
		t.Fatal(err)
	}
	if chromium.payloadType != 111 || chromium.mid(speech) != "0" || chromium.mid(messages) != "1" || !chromium.reducedRTCP || chromium.stereo {
		t.Errorf("Chromium's: %+v", chromium)
	}
	firefox, err := parseOffer(browserOffer(t, "firefox"))
	if err != nil {
		t.Fatal(err)
	}
	if firefox.payloadType != 109 || firefox.mid(speech) != "0" || firefox.mid(messages) != "" || !firefox.stereo || len(firefox.fingerprints) != 1 {
		t.Errorf("Firefox's: %+v", firefox)
	}
	answer := firefox.answer(1, half{ufrag: "ours", pwd: "secret", setup: "active", candidates: []string{"1 1 udp 1 127.0.0.1 1 typ host"}})
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(answer); err != nil {
		t.Fatal(err)
	}
	if n := len(desc.MediaDescriptions); n != 2 {
		t.Fatalf("%d sections in the answer", n)
	}
	if group, _ := desc.Attribute("group"); group != "BUNDLE 0" {
		t.Errorf("the bundle is %q", group)
	}
	audio, video := desc.MediaDescriptions[0], desc.MediaDescriptions[1]
	if !has(audio, "recvonly") || payloadAttribute(audio, "rtcp-fb", "109") != "nack" ||
		payloadAttribute(audio, "fmtp", "109") != "minptime=10;useinbandfec=1;stereo=1" || !slices.Equal(audio.MediaName.Formats, []string{"109"}) {
		t.Errorf("the audio is answered with %+v", audio)
	}
	if video.MediaName.Port.Value != 0 || !has(video, "inactive") {
		t.Errorf("the video is answered with %+v", video)
	}
}

func TestOffersRefused(t *testing.T) {
	offer := browserOffer(t, "chromium")
	without := func(prefixes ...string) string {
		var b strings.Builder
		for line := range strings.Lines(offer) {
			if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(line, p) }) {
				b.WriteString(line)
			}
		}
		return b.String()
	}
	replaced := func(old, replacement string) string { return strings.ReplaceAll(offer, old, replacement) }
	cut := strings.Index(offer, "m=audio")
	for _, c := range []struct {
		name, offer string
		kind        OfferKind
		says        string
	}{
		{"nothing", "", Malformed, "not SDP"},
		{"garbage", "GET / HTTP/1.1\r\n\r\n", Malformed, "not SDP"},
		{"huge", offer + strings.Repeat("a=x\r\n", 20_000), Malformed, "64 KiB"},
		{"no media", offer[:cut], Unacceptable, "no audio"},
		{"video only", replaced("m=audio", "m=video"), Unacceptable, "no audio"},
		{"audio that was turned off", replaced("m=audio 9", "m=audio 0"), Unacceptable, "no audio"},
		{"no Opus", replaced("opus/48000/2", "speex/16000"), Unacceptable, "no Opus"},
		{"receives", replaced("a=sendonly", "a=recvonly"), Unacceptable, "sendonly"},
		{"inactive", replaced("a=sendonly", "a=inactive"), Unacceptable, "sendonly"},
		{"plain RTP", replaced("UDP/TLS/RTP/SAVPF", "RTP/AVP"), Unacceptable, "DTLS"},
		{"two ports", without("a=rtcp-mux"), Unacceptable, "rtcp-mux"},
		{"no credentials", without("a=ice-ufrag"), Malformed, "ice-ufrag"},
		{"credentials that make no sense", replaced("a=ice-pwd:", "a=ice-pwd:{"), Malformed, "ice-ufrag"},
		{"no fingerprint", without("a=fingerprint"), Malformed, "fingerprint"},
		{"a fingerprint that is none", replaced("sha-256 ", "sha-256 zz"), Malformed, "fingerprint"},
		{"held", replaced("setup:actpass", "setup:holdconn"), Malformed, "setup"},
		{"no mid", without("a=mid"), Malformed, "mid"},
		{"the same mid twice", replaced("a=mid:1", "a=mid:0"), Malformed, "mid"},
		{"many sections", offer + strings.Repeat("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", 20), Malformed, "16"},
	} {
		_, err := parseOffer(c.offer)
		refused, ok := errors.AsType[*OfferError](err)
		if !ok || refused.Kind != c.kind || !strings.Contains(refused.Message, c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}

// FuzzOffer holds that an offer which is taken makes SDP that says the same.
func FuzzOffer(f *testing.F) {
	f.Add(browserOffer(f, "chromium"))
	f.Add(browserOffer(f, "firefox"))
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseOffer(text)
		if err != nil {
			if _, ok := errors.AsType[*OfferError](err); !ok {
				t.Fatalf("%v is no OfferError", err)
			}
			return
		}
		again, err := parseOffer(o.render(2, o.ufrag, o.pwd))
		if err != nil {
			t.Fatalf("our offer: %v", err)
		}
		if again.payloadType != o.payloadType || again.ufrag != o.ufrag || !slices.Equal(again.fingerprints, o.fingerprints) ||
			again.mid(speech) != o.mid(speech) || again.mid(messages) != o.mid(messages) {
			t.Fatalf("%+v became %+v", o, again)
		}
		var desc sdp.SessionDescription
		if err := desc.UnmarshalString(o.answer(1, half{ufrag: "ours", pwd: "secret", setup: "active"})); err != nil {
			t.Fatalf("our answer: %v", err)
		}
		if len(desc.MediaDescriptions) != len(o.sections) {
			t.Fatalf("%d sections are answered with %d", len(o.sections), len(desc.MediaDescriptions))
		}
	})
}
