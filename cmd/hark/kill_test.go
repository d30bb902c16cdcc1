package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"hark/transcribe/wer"
)

// TestKilled kills the whole process at random moments of uploading and
// working. Whatever was acknowledged must be there afterwards, once, and
// become ready with its words; what was not acknowledged is sent again with
// its key, as a phone would, and must not be there twice.
func TestKilled(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	clip, err := os.ReadFile(shortSentence.wav(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	ledger := &ledger{ids: map[string]string{}}
	var conversation string
	for round := range rounds {
		hark := serve(t, data)
		c := mustClient(t, hark)
		if conversation == "" {
			conv, err := c.findConversation(t.Context(), "General")
			if err != nil {
				t.Fatal(err)
			}
			conversation = conv.ID
		}
		var senders sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		for range 3 {
			senders.Go(func() { ledger.send(ctx, t, c, conversation, clip) })
		}
		// The moment of the kill is what is tested, so it is left to chance.
		time.Sleep(time.Duration(100+rand.IntN(1900)) * time.Millisecond)
		hark.kill()
		stop()
		senders.Wait()
		t.Logf("round %d: %d acknowledged", round, len(ledger.ids))
	}

	hark := serve(t, data)
	c := mustClient(t, hark)
	ctx := within(t, 10*time.Minute)
	// A phone sends again what it has no answer for.
	for _, key := range ledger.unanswered {
		if id, err := sendKeyed(ctx, c, conversation, key, clip); err != nil {
			t.Errorf("send %s again: %v", key, err)
		} else {
			ledger.ids[key] = id
		}
	}
	if len(ledger.ids) < rounds {
		t.Fatalf("only %d recordings were acknowledged in %d rounds: nothing was tested", len(ledger.ids), rounds)
	}
	for key, id := range ledger.ids {
		if _, err := c.await(ctx, id); err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		heard, err := c.transcript(ctx, id)
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		if n := wer.Score(shortSentence.text, heard.Text()); n.Rate() > 0.34 {
			t.Errorf("%s: heard %q", key, heard.Text())
		}
	}
	if listed := countMessages(t, c, conversation); listed != len(ledger.ids) {
		t.Errorf("%d messages are listed for %d recordings", listed, len(ledger.ids))
	}
}

// ledger is what a phone knows of its recordings.
type ledger struct {
	mu         sync.Mutex
	next       int
	ids        map[string]string // acknowledged: key to message id
	unanswered []string          // keys without an answer
}

// send sends recordings one after the other until ctx ends.
func (l *ledger) send(ctx context.Context, t *testing.T, c *client, conversation string, clip []byte) {
	for ctx.Err() == nil {
		l.mu.Lock()
		l.next++
		key := fmt.Sprintf("recording-%d", l.next)
		l.mu.Unlock()
		id, err := sendKeyed(ctx, c, conversation, key, clip)
		l.mu.Lock()
		if err == nil {
			l.ids[key] = id
		} else {
			l.unanswered = append(l.unanswered, key)
		}
		l.mu.Unlock()
		var refused *problem
		if errors.As(err, &refused) {
			t.Errorf("%s: %v", key, refused)
		}
		if err != nil {
			return
		}
	}
}

// sendKeyed sends a clip a piece at a time, so that a kill can hit the middle
// of it.
func sendKeyed(ctx context.Context, c *client, conversation, key string, clip []byte) (string, error) {
	body, w := io.Pipe()
	go func() {
		for len(clip) > 0 {
			n := min(len(clip), 16<<10)
			if _, err := w.Write(clip[:n]); err != nil {
				return
			}
			clip = clip[n:]
		}
		w.Close()
	}()
	defer body.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/conversations/"+conversation+"/messages", body)
	if err != nil {
		return "", err
	}
	req.Header.Set("Idempotency-Key", key)
	req.Header.Set("Content-Type", "audio/wav")
	var msg message
	err = c.do(req, &msg)
	return msg.ID, err
}

func countMessages(t *testing.T, c *client, conversation string) int {
	t.Helper()
	seen := map[string]bool{}
	query := url.Values{"limit": {"50"}}
	for {
		var page struct {
			Items      []message `json:"items"`
			NextCursor string    `json:"next_cursor"`
		}
		if err := c.get(t.Context(), "/conversations/"+conversation+"/messages", query, &page); err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Items {
			if seen[m.ID] {
				t.Errorf("message %s is listed twice", m.ID)
			}
			seen[m.ID] = true
		}
		if page.NextCursor == "" {
			return len(seen)
		}
		query.Set("cursor", page.NextCursor)
	}
}
