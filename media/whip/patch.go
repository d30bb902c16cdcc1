package whip

import (
	"context"
	"fmt"
	"strings"

	"github.com/pion/webrtc/v4"
)

// Patch takes an SDP fragment (RFC 8840): more candidates of the client, or new
// credentials, which restart ICE (RFC 9725, section 4.3). ifMatch is the
// header If-Match: the current entity tag, or "*", which is what the RFC wants
// for a restart.
//
// It fails with [ErrPreconditionMissing], [ErrPrecondition] or a
// [*FragmentError], which leave the session as it is, or with [ErrClosed].
func (s *Session) Patch(ctx context.Context, text, ifMatch string) (Patched, error) {
	s.negotiation.Lock()
	defer s.negotiation.Unlock()
	select {
	case <-s.ended:
		return Patched{}, fmt.Errorf("the session: %w", ErrClosed)
	default:
	}
	f, err := parseFragment(text)
	if err != nil {
		return Patched{}, err
	}
	if strings.TrimSpace(ifMatch) == "" {
		return Patched{}, ErrPreconditionMissing
	}
	if !matches(ifMatch, s.etag) {
		return Patched{}, ErrPrecondition
	}
	switch {
	case f.ufrag == "" && f.pwd == "", f.ufrag == s.offer.ufrag && (f.pwd == "" || f.pwd == s.offer.pwd):
		s.trickle(f)
		return Patched{ETag: s.etag}, nil
	case f.ufrag == "" || f.pwd == "" || f.ufrag == s.offer.ufrag || f.pwd == s.offer.pwd:
		return Patched{}, &FragmentError{Message: "The fragment's credentials are not the session's; for an ICE restart both must be new."}
	}
	return s.restart(ctx, f)
}

// matches compares If-Match strongly (RFC 9110, section 13.1.1).
func matches(ifMatch, etag string) bool {
	for tag := range strings.SplitSeq(ifMatch, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == etag {
			return true
		}
	}
	return false
}

// trickle adds candidates. Those past the limit are not needed: a client that
// has so many reaches us by some other.
func (s *Session) trickle(f fragment) {
	mid := s.offer.mid(speech)
	for _, c := range f.candidates {
		if s.candidates == maxCandidates {
			return
		}
		s.candidates++
		// A candidate of a kind that pion does not know is one fewer to try.
		_ = s.peer.AddICECandidate(webrtc.ICECandidateInit{Candidate: c, SDPMid: &mid})
	}
}

// restart begins a new ICE session under the same DTLS and SRTP, so that the
// recording goes on.
func (s *Session) restart(ctx context.Context, f fragment) (Patched, error) {
	candidates := make([]string, 0, len(f.candidates))
	for _, c := range f.candidates {
		candidates = append(candidates, strings.TrimPrefix(c, "candidate:"))
	}
	s.life.missed(s, s.server.cfg.Grace)
	local, err := s.negotiate(ctx, f.ufrag, f.pwd, candidates)
	if err != nil {
		return Patched{}, fmt.Errorf("restart ICE: %w", err)
	}
	return Patched{Fragment: s.offer.fragment(local), ETag: s.etag}, nil
}
