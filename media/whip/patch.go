package whip

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Patch takes an SDP fragment (RFC 8840): more candidates of the client, which
// change nothing, or new credentials, which restart ICE (RFC 9725, section
// 4.3). ifMatch is the header If-Match: the current entity tag, or "*", which
// is what the RFC wants for a restart.
//
// It fails with [ErrPreconditionMissing], [ErrPrecondition], [ErrTooMany] or a
// [*FragmentError], which leave the session as it is, or with [ErrClosed].
func (s *Session) Patch(ctx context.Context, text, ifMatch string) (Patched, error) {
	s.negotiation.Lock()
	defer s.negotiation.Unlock()
	select {
	case <-s.ended:
		return Patched{}, fmt.Errorf("the session: %w", ErrClosed)
	default:
	}
	if !s.pace.patches.Allow() {
		return Patched{}, fmt.Errorf("patch the session: %w", ErrTooMany)
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
		return Patched{ETag: s.etag}, nil
	case f.ufrag == "" || f.pwd == "" || f.ufrag == s.offer.ufrag || f.pwd == s.offer.pwd:
		return Patched{}, &FragmentError{Message: "The fragment's credentials are not the session's; for an ICE restart both must be new."}
	}
	if !s.pace.restarts.Allow() {
		return Patched{}, fmt.Errorf("restart ICE: %w", ErrTooMany)
	}
	return s.restart(ctx, f)
}

// pace bounds how often a session is patched.
type pace struct{ patches, restarts *rate.Limiter }

// newPace allows more than networks that come and go make a client ask for, and
// clients that send each candidate alone.
func newPace() pace {
	return pace{
		patches:  rate.NewLimiter(rate.Every(200*time.Millisecond), 2*maxCandidates),
		restarts: rate.NewLimiter(rate.Every(10*time.Second), 10),
	}
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

// restart begins a new ICE session under the same DTLS and SRTP, so that the
// recording goes on.
func (s *Session) restart(ctx context.Context, f fragment) (Patched, error) {
	s.life.missed(s, s.server.cfg.Grace)
	local, err := s.negotiate(ctx, f.ufrag, f.pwd)
	if err != nil {
		return Patched{}, fmt.Errorf("restart ICE: %w", err)
	}
	return Patched{Fragment: s.offer.fragment(local), ETag: s.etag}, nil
}
