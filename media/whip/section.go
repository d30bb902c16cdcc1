package whip

import (
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

// section is a line m= of the offer, in its order.
type section struct {
	use     use
	kind    string
	proto   string
	formats []string
	mid     string
}

// use is what we do with a section.
type use int

const (
	turnedDown use = iota
	speech
	messages
)

func (o *offer) readSections(desc *sdp.SessionDescription, audio *sdp.MediaDescription) error {
	bundle := bundleOf(desc)
	audioMid, _ := audio.Attribute("mid")
	o.bundled = slices.Contains(bundle, audioMid)
	mids, channel := map[string]bool{}, false
	for _, m := range desc.MediaDescriptions {
		s := section{kind: m.MediaName.Media, proto: protoOf(m), formats: m.MediaName.Formats}
		s.mid, _ = m.Attribute("mid")
		if !token(s.mid) || mids[s.mid] {
			return malformed("Each media section of the offer must have a mid of its own.")
		}
		mids[s.mid] = true
		switch {
		case m == audio:
			s.use = speech
		case !channel && o.bundled && slices.Contains(bundle, s.mid) && channelLike(s):
			s.use, channel = messages, true
		}
		o.sections = append(o.sections, s)
	}
	return nil
}

// bundleOf returns the mids that go over one transport.
func bundleOf(desc *sdp.SessionDescription) []string {
	for _, a := range desc.Attributes {
		if words := strings.Fields(a.Value); a.Key == "group" && len(words) > 1 && words[0] == "BUNDLE" {
			return words[1:]
		}
	}
	return nil
}

func channelLike(s section) bool {
	return s.kind == "application" && strings.HasSuffix(s.proto, "/DTLS/SCTP") &&
		len(s.formats) == 1 && s.formats[0] == "webrtc-datachannel"
}

// mid returns the id of the section that is used for u, or "".
func (o *offer) mid(u use) string {
	for _, s := range o.sections {
		if s.use == u {
			return s.mid
		}
	}
	return ""
}
