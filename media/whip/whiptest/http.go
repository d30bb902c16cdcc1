package whiptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/pion/webrtc/v4"
)

// StatusError is an answer that refuses.
type StatusError struct {
	Status int
	Body   string
}

func (e *StatusError) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Body) }

// whipHTTP is the HTTP of RFC 9725.
type whipHTTP struct {
	client   *http.Client
	token    string
	location string
	header   http.Header

	mu  sync.Mutex
	tag string
}

func (h *whipHTTP) etag() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tag
}

func (h *whipHTTP) do(ctx context.Context, method, target, contentType, body, ifMatch string) (http.Header, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if ifMatch != "" {
		req.Header.Set("If-Match", ifMatch)
	}
	if h.token != "" {
		req.Header.Set("Authorization", "Bearer "+h.token)
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, "", fmt.Errorf("%s %s: %w", method, target, err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, "", fmt.Errorf("%s %s: %w", method, target, &StatusError{Status: resp.StatusCode, Body: string(text)})
	}
	if tag := resp.Header.Get("ETag"); tag != "" {
		h.mu.Lock()
		h.tag = tag
		h.mu.Unlock()
	}
	return resp.Header, string(text), nil
}

// post offers a session and returns the answer.
func (h *whipHTTP) post(ctx context.Context, target, offer string) (string, error) {
	header, answer, err := h.do(ctx, http.MethodPost, target, "application/sdp", offer, "")
	if err != nil {
		return "", err
	}
	base, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	location, err := base.Parse(header.Get("Location"))
	if err != nil || header.Get("Location") == "" {
		return "", fmt.Errorf("no Location in the answer: %w", errors.Join(err))
	}
	h.location, h.header = location.String(), header
	return answer, nil
}

func (h *whipHTTP) patch(ctx context.Context, fragment, ifMatch string) (string, error) {
	_, body, err := h.do(ctx, http.MethodPatch, h.location, "application/trickle-ice-sdpfrag", fragment, ifMatch)
	return body, err
}

func (h *whipHTTP) delete(ctx context.Context) error {
	_, _, err := h.do(ctx, http.MethodDelete, h.location, "", "", "")
	return err
}

// SetPaused pauses or resumes the recording by PATCH.
func (s *Speaker) SetPaused(ctx context.Context, paused bool) error {
	_, _, err := s.http.do(ctx, http.MethodPatch, s.http.location, "application/json", fmt.Sprintf(`{"paused":%t}`, paused), "")
	return err
}

// Restart restarts ICE: from the addresses that the machine has now, by PATCH.
// It returns when the server has answered; media goes on as soon as the new
// path works.
func (s *Speaker) Restart(ctx context.Context) error {
	offer, err := s.peer.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		return fmt.Errorf("restart ICE: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(s.peer)
	if err := s.peer.SetLocalDescription(offer); err != nil {
		return fmt.Errorf("restart ICE: %w", err)
	}
	<-gathered
	reply, err := s.http.patch(ctx, fragmentOf(s.peer.LocalDescription().SDP), "*")
	if err != nil {
		return fmt.Errorf("restart ICE: %w", err)
	}
	answer := withTransport(s.peer.CurrentRemoteDescription().SDP, reply)
	if err := s.peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return fmt.Errorf("restart ICE: %w", err)
	}
	return nil
}

// fragmentOf takes out of a description what RFC 8840, section 9, sends.
func fragmentOf(description string) string {
	var b strings.Builder
	media := 0
	for line := range strings.Lines(description) {
		switch {
		case strings.HasPrefix(line, "m="):
			if media++; media > 1 {
				return b.String() + "a=end-of-candidates\r\n"
			}
			b.WriteString(line)
		case ofICE(line), strings.HasPrefix(line, "a=mid:"), strings.HasPrefix(line, "a=group:BUNDLE"):
			b.WriteString(line)
		}
	}
	return b.String() + "a=end-of-candidates\r\n"
}

func ofICE(line string) bool {
	for _, key := range []string{"a=ice-ufrag:", "a=ice-pwd:", "a=candidate:"} {
		if strings.HasPrefix(line, key) {
			return true
		}
	}
	return false
}

// withTransport puts the ICE of a fragment in the place of a description's.
func withTransport(description, fragment string) string {
	var credentials, candidates strings.Builder
	for line := range strings.Lines(fragment) {
		switch {
		case strings.HasPrefix(line, "a=candidate:"):
			candidates.WriteString(line)
		case ofICE(line):
			credentials.WriteString(line)
		}
	}
	var b strings.Builder
	media := 0
	for line := range strings.Lines(description) {
		switch {
		case strings.HasPrefix(line, "a=mid:"):
			b.WriteString(line)
			b.WriteString(credentials.String())
			if media++; media == 1 {
				b.WriteString(candidates.String())
			}
		case ofICE(line):
		default:
			b.WriteString(line)
		}
	}
	return b.String()
}
