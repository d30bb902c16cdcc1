package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"hark/cmd/hark/client"
	"hark/transcribe/wer"
)

var soak = flag.Bool("soak", false, "many more rounds of what chance decides")

// rounds is how often chance is given a try: few times each day, many in a soak.
func rounds(few, many int) int {
	if *soak {
		return many
	}
	return few
}

// TestKilled kills the whole process at random moments of uploading and
// working. Whatever was acknowledged must be there afterwards, once, and
// become ready with its words; what was not acknowledged is sent again with
// its key, as a phone would, and must not be there twice.
func TestKilled(t *testing.T) {
	t.Parallel()
	rounds := rounds(6, 20)
	clip, err := os.ReadFile(shortSentence.wav(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	journal := &journal{ids: map[string]string{}}
	var conversation string
	for round := range rounds {
		hark := serve(t, data, smallModel)
		c := mustClient(t, hark)
		if conversation == "" {
			conv, err := c.FindConversation(t.Context(), "General")
			if err != nil {
				t.Fatal(err)
			}
			conversation = conv.ID
		}
		var senders sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		for range 3 {
			senders.Go(func() { journal.send(ctx, t, c, conversation, clip) })
		}
		// The moment of the kill is what is tested, so it is left to chance.
		time.Sleep(time.Duration(100+rand.IntN(1900)) * time.Millisecond)
		hark.Kill()
		stop()
		senders.Wait()
		t.Logf("round %d: %d acknowledged", round, len(journal.ids))
	}

	hark := serve(t, data, smallModel)
	c := mustClient(t, hark)
	ctx := within(t, 10*time.Minute)
	// A phone sends again what it has no answer for.
	for _, key := range journal.unanswered {
		if id, err := sendKeyed(ctx, c, conversation, key, clip); err != nil {
			t.Errorf("send %s again: %v", key, err)
		} else {
			journal.ids[key] = id
		}
	}
	if len(journal.ids) < rounds {
		t.Fatalf("only %d recordings were acknowledged in %d rounds: nothing was tested", len(journal.ids), rounds)
	}
	for key, id := range journal.ids {
		if _, err := c.Await(ctx, id); err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		heard, err := c.Transcript(ctx, id)
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		if n := wer.Score(shortSentence.text, heard.Text()); n.Rate() > 0.34 {
			t.Errorf("%s: heard %q", key, heard.Text())
		}
	}
	if listed := countMessages(t, c, conversation); listed != len(journal.ids) {
		t.Errorf("%d messages are listed for %d recordings", listed, len(journal.ids))
	}
}

// journal is what a phone knows of its recordings.
type journal struct {
	mu         sync.Mutex
	next       int
	ids        map[string]string // acknowledged: key to message id
	unanswered []string          // keys without an answer
}

// send sends recordings one after the other until ctx ends.
func (l *journal) send(ctx context.Context, t *testing.T, c *client.Client, conversation string, clip []byte) {
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
		var refused *client.Problem
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
func sendKeyed(ctx context.Context, c *client.Client, conversation, key string, clip []byte) (string, error) {
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
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Base+"/conversations/"+conversation+"/messages", body)
	if err != nil {
		return "", err
	}
	req.Header.Set("Idempotency-Key", key)
	req.Header.Set("Content-Type", "audio/wav")
	var msg client.Message
	err = c.Do(req, &msg)
	return msg.ID, err
}

func countMessages(t *testing.T, c *client.Client, conversation string) int {
	t.Helper()
	seen := map[string]bool{}
	query := url.Values{"limit": {"50"}}
	for {
		var page struct {
			Items      []client.Message `json:"items"`
			NextCursor string           `json:"next_cursor"`
		}
		if err := c.Get(t.Context(), "/conversations/"+conversation+"/messages", query, &page); err != nil {
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
