package whip

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"
)

// half is one side's half of an ICE session and of DTLS.
type half struct {
	ufrag, pwd   string
	fingerprints []string // hash and bytes
	setup        string
	candidates   []string // without "candidate:"
}

// description writes SDP (RFC 8866).
type description struct{ strings.Builder }

func (d *description) line(format string, args ...any) {
	fmt.Fprintf(d, format+"\r\n", args...)
}

func (d *description) head(version uint64, bundle []string) {
	d.line("v=0")
	d.line("o=- 1 %d IN IP4 0.0.0.0", version)
	d.line("s=-")
	d.line("t=0 0")
	if len(bundle) > 0 {
		d.line("a=group:BUNDLE %s", strings.Join(bundle, " "))
	}
	d.line("a=ice-options:trickle")
}

func (d *description) transport(t half) {
	d.line("a=ice-ufrag:%s", t.ufrag)
	d.line("a=ice-pwd:%s", t.pwd)
	for _, f := range t.fingerprints {
		d.line("a=fingerprint:%s", f)
	}
	d.line("a=setup:%s", t.setup)
}

func (d *description) candidates(all []string) {
	for _, c := range all {
		d.line("a=candidate:%s", c)
	}
}

func (d *description) audio(o *offer, proto, mid, direction string, t half) {
	d.line("m=audio 9 %s %d", proto, o.payloadType)
	d.line("c=IN IP4 0.0.0.0")
	d.line("a=mid:%s", mid)
	d.transport(t)
	d.line("a=%s", direction)
	d.line("a=rtcp-mux")
	if o.reducedRTCP {
		d.line("a=rtcp-rsize")
	}
	d.line("a=rtpmap:%d opus/48000/2", o.payloadType)
	d.line("a=fmtp:%d %s", o.payloadType, o.opusParameters())
	d.line("a=rtcp-fb:%d nack", o.payloadType)
}

// opusParameters are what we would like to be sent (RFC 7587, section 6.1):
// always in-band FEC; two channels, or nothing during silence, when the client
// offered that.
func (o *offer) opusParameters() string {
	p := "minptime=10;useinbandfec=1"
	if o.stereo {
		p += ";stereo=1"
	}
	if o.dtx {
		p += ";usedtx=1"
	}
	return p
}

func (d *description) channel(proto, mid string, t half) {
	d.line("m=application 9 %s webrtc-datachannel", proto)
	d.line("c=IN IP4 0.0.0.0")
	d.line("a=mid:%s", mid)
	d.transport(t)
	d.line("a=sctp-port:5000")
	d.line("a=max-message-size:%d", MaxMessage)
}

// render writes the offer that pion is given: the first, or a later one whose
// other ICE credentials make it restart. The client's candidates are left out.
func (o *offer) render(version uint64, ufrag, pwd string) string {
	t := half{ufrag: ufrag, pwd: pwd, fingerprints: o.fingerprints, setup: o.setup}
	mid, channel := o.mid(speech), o.mid(messages)
	var d description
	if channel == "" {
		d.head(version, []string{mid})
	} else {
		d.head(version, []string{mid, channel})
	}
	d.audio(o, "UDP/TLS/RTP/SAVPF", mid, "sendonly", t)
	// A source must be named, or pion would guess at streams: ours are told
	// apart by the receiver.
	d.line("a=msid:hark hark")
	d.line("a=ssrc:1 cname:hark")
	if channel != "" {
		d.channel("UDP/DTLS/SCTP", channel, t)
	}
	return d.String()
}

// answer writes what the client is answered: each section of its offer in its
// place, taken or turned down (RFC 9429, section 5.3.1).
func (o *offer) answer(version uint64, t half) string {
	var bundle []string
	for _, s := range o.sections {
		if o.bundled && s.use != turnedDown {
			bundle = append(bundle, s.mid)
		}
	}
	var d description
	d.head(version, bundle)
	d.line("a=ice-lite")
	for _, s := range o.sections {
		switch s.use {
		case speech:
			d.audio(o, s.proto, s.mid, "recvonly", t)
			d.candidates(t.candidates)
			d.line("a=end-of-candidates")
		case messages:
			d.channel(s.proto, s.mid, t)
		case turnedDown:
			// A format must be there, though none is meant; 0 needs no words
			// about it, and is what browsers write.
			formats := "0"
			if !strings.Contains(s.proto, "RTP/") {
				formats = strings.Join(s.formats, " ")
			}
			d.line("m=%s 0 %s %s", s.kind, s.proto, formats)
			d.line("c=IN IP4 0.0.0.0")
			d.line("a=mid:%s", s.mid)
			d.line("a=inactive")
		}
	}
	return d.String()
}

// fragment writes our side of an ICE restart (RFC 9725, section 4.3.3).
func (o *offer) fragment(t half) string {
	var d description
	mid := o.mid(speech)
	d.line("a=ice-lite")
	d.line("a=ice-options:trickle")
	d.line("a=group:BUNDLE %s", mid)
	d.line("m=audio 9 UDP/TLS/RTP/SAVPF %d", o.payloadType)
	d.line("a=mid:%s", mid)
	d.line("a=ice-ufrag:%s", t.ufrag)
	d.line("a=ice-pwd:%s", t.pwd)
	d.candidates(t.candidates)
	d.line("a=end-of-candidates")
	return d.String()
}

// readLocal reads our half from the answer that pion made.
func readLocal(text string) (half, error) {
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(text); err != nil {
		return half{}, fmt.Errorf("read pion's answer: %w", err)
	}
	var t half
	for _, a := range desc.Attributes {
		if a.Key == "fingerprint" {
			t.fingerprints = append(t.fingerprints, a.Value)
		}
	}
	if len(desc.MediaDescriptions) == 0 {
		return half{}, fmt.Errorf("read pion's answer: no media")
	}
	for _, a := range desc.MediaDescriptions[0].Attributes {
		switch a.Key {
		case "ice-ufrag":
			t.ufrag = a.Value
		case "ice-pwd":
			t.pwd = a.Value
		case "setup":
			t.setup = a.Value
		case "candidate":
			t.candidates = append(t.candidates, a.Value)
		}
	}
	return t, nil
}
