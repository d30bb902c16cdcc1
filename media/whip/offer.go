package whip

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

const (
	maxOffer    = 64 << 10
	maxSections = 16
)

// offer is what we understood of a client's offer, and all that is used of it:
// pion is given an offer of our own making (see [offer.render]), so that what
// nobody checked goes no further.
type offer struct {
	sections     []section
	ufrag, pwd   string
	fingerprints []string
	setup        string // actpass, active or passive
	bundled      bool
	reducedRTCP  bool
	payloadType  uint8 // of Opus
	stereo, dtx  bool  // what the client would like to send
}

func malformed(message string) *OfferError {
	return &OfferError{Kind: Malformed, Message: message}
}

func unacceptable(message string) *OfferError {
	return &OfferError{Kind: Unacceptable, Message: message}
}

// parseOffer reads and checks an offer. What it returns of an error is an
// [OfferError].
func parseOffer(text string) (o *offer, err error) {
	defer func() {
		// What is parsed comes from anyone: a fault in the parser is an offer
		// that cannot be understood, and costs no one else their recording.
		if recover() != nil {
			o, err = nil, malformed("The offer is not SDP that can be understood.")
		}
	}()
	if len(text) > maxOffer {
		return nil, malformed("The offer is longer than 64 KiB.")
	}
	var desc sdp.SessionDescription
	if !strings.HasPrefix(text, "v=0") || desc.UnmarshalString(text) != nil {
		return nil, malformed("The offer is not SDP that can be understood.")
	}
	if len(desc.MediaDescriptions) > maxSections {
		return nil, malformed("The offer has more than 16 media sections.")
	}
	audio, err := chooseAudio(desc.MediaDescriptions)
	if err != nil {
		return nil, err
	}
	o = &offer{}
	if err := o.readTransport(&desc, audio); err != nil {
		return nil, err
	}
	o.readOpus(audio)
	if err := o.readSections(&desc, audio); err != nil {
		return nil, err
	}
	return o, nil
}

// chooseAudio finds the audio that the client would send us as Opus.
func chooseAudio(all []*sdp.MediaDescription) (*sdp.MediaDescription, error) {
	var refusal *OfferError
	refuse := func(message string) {
		if refusal == nil {
			refusal = unacceptable(message)
		}
	}
	for _, m := range all {
		_, bundleOnly := m.Attribute("bundle-only")
		if m.MediaName.Media != "audio" || (m.MediaName.Port.Value == 0 && !bundleOnly) {
			continue
		}
		_, mux := m.Attribute(sdp.AttrKeyRTCPMux)
		switch {
		case has(m, sdp.AttrKeyRecvOnly) || has(m, sdp.AttrKeyInactive):
			refuse("The offer's audio is not to be sent: it must be sendonly or sendrecv.")
		case !strings.HasSuffix(protoOf(m), "TLS/RTP/SAVPF") && !strings.HasSuffix(protoOf(m), "TLS/RTP/SAVP"):
			refuse("The offer's audio must be sent over DTLS-SRTP.")
		case opusOf(m) < 0:
			refuse("The offer has no Opus, the one codec that is recorded.")
		case !mux:
			refuse("The offer's audio must be sent with rtcp-mux.")
		default:
			return m, nil
		}
	}
	if refusal == nil {
		refusal = unacceptable("The offer has no audio.")
	}
	return nil, refusal
}

func has(m *sdp.MediaDescription, key string) bool {
	_, ok := m.Attribute(key)
	return ok
}

func protoOf(m *sdp.MediaDescription) string { return strings.Join(m.MediaName.Protos, "/") }

// opusOf returns the first payload type of Opus, or -1. RED (RFC 2198), which
// wraps it for some browsers, is passed over.
func opusOf(m *sdp.MediaDescription) int {
	for _, format := range m.MediaName.Formats {
		pt, err := strconv.ParseUint(format, 10, 7)
		if err == nil && strings.EqualFold(payloadAttribute(m, "rtpmap", format), "opus/48000/2") {
			return int(pt)
		}
	}
	return -1
}

// payloadAttribute returns what an attribute such as rtpmap says of a format.
func payloadAttribute(m *sdp.MediaDescription, key, format string) string {
	for _, a := range m.Attributes {
		if of, value, ok := strings.Cut(a.Value, " "); ok && a.Key == key && of == format {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (o *offer) readOpus(audio *sdp.MediaDescription) {
	pt := opusOf(audio)
	o.payloadType = uint8(pt)
	o.reducedRTCP = has(audio, sdp.AttrKeyRTCPRsize)
	for parameter := range strings.SplitSeq(payloadAttribute(audio, "fmtp", strconv.Itoa(pt)), ";") {
		switch strings.TrimSpace(parameter) {
		case "stereo=1", "sprop-stereo=1":
			o.stereo = true
		case "usedtx=1":
			o.dtx = true
		}
	}
}

// readTransport reads how the client is reached: what the audio says, or else
// the session, or else the section that stands for its bundle (RFC 9143).
func (o *offer) readTransport(desc *sdp.SessionDescription, audio *sdp.MediaDescription) error {
	attribute := func(key string) string {
		if v, ok := audio.Attribute(key); ok {
			return v
		}
		if v, ok := desc.Attribute(key); ok {
			return v
		}
		for _, m := range desc.MediaDescriptions {
			if v, ok := m.Attribute(key); ok {
				return v
			}
		}
		return ""
	}
	o.ufrag, o.pwd, o.setup = attribute("ice-ufrag"), attribute("ice-pwd"), attribute("setup")
	if !iceChars(o.ufrag, 4) || !iceChars(o.pwd, 22) {
		return malformed("The offer has no ice-ufrag and ice-pwd that make sense.")
	}
	if o.setup == "" {
		o.setup = "actpass"
	}
	if !slices.Contains([]string{"actpass", "active", "passive"}, o.setup) {
		return malformed("The offer's setup must be actpass, active or passive.")
	}
	attributes := slices.Concat(audio.Attributes, desc.Attributes)
	for _, m := range desc.MediaDescriptions {
		attributes = append(attributes, m.Attributes...)
	}
	for _, a := range attributes {
		if a.Key == "fingerprint" && fingerprintLike(a.Value) && len(o.fingerprints) < 4 && !slices.Contains(o.fingerprints, a.Value) {
			o.fingerprints = append(o.fingerprints, a.Value)
		}
	}
	if len(o.fingerprints) == 0 {
		return malformed("The offer has no fingerprint of the client's certificate.")
	}
	return nil
}

// fingerprintLike tells whether s is a hash's name and its hex bytes (RFC 8122,
// section 5).
func fingerprintLike(s string) bool {
	hash, hex, ok := strings.Cut(s, " ")
	if !ok || len(s) > 256 || !token(hash) || len(hex) < 32 {
		return false
	}
	return strings.Trim(hex, "0123456789abcdefABCDEF:") == ""
}

// token tells whether s is a short token of SDP (RFC 8866, section 9).
func token(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte(`"(),/:;<=>?@[\]`, c) >= 0 {
			return false
		}
	}
	return true
}
