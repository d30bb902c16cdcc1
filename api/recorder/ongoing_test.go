package recorder

import (
	"fmt"
	"testing"
	"time"

	"hark/media/whip"
	"hark/storage"
)

// Whoever may hear the conversation can see who is recording, and that they
// pause.
func TestOngoing(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle().run()
	rec, s := h.begin(storage.CaptionsOff)
	h.awaitOngoing("speaking")
	s.speak(time.Second)
	s.ask(`{"type":"pause"}`)
	h.awaitOngoing("paused")
	s.ask(`{"type":"resume"}`)
	h.awaitOngoing("speaking")
	rec.SetPaused(true) // by PATCH
	h.awaitOngoing("paused")
	rec.End(whip.Stopped)
	h.awaitOngoing("")
	_, s = h.begin(storage.CaptionsOff)
	s.End(whip.Stopped) // nothing was said
	h.awaitOngoing("")
	h.awaitTold(7)
}

// awaitOngoing waits until the one recording that there is, or none, is so.
func (h *harness) awaitOngoing(want string) {
	h.t.Helper()
	var got string
	h.eventually(func() bool {
		list, err := h.db.OngoingRecordings(h.t.Context(), h.principal, h.conv)
		must(h.t, err)
		got = ""
		for _, r := range list {
			got += map[bool]string{true: "speaking", false: "paused"}[r.PausedAt.IsZero()]
		}
		return got == want
	}, func() string { return "ongoing: " + got + "; want " + want })
}

// awaitTold waits until listeners were told so many times to look.
func (h *harness) awaitTold(times int) {
	h.t.Helper()
	told := 0
	h.eventually(func() bool {
		h.bus.mu.Lock()
		defer h.bus.mu.Unlock()
		told = 0
		for _, e := range h.bus.events {
			if e.Type == storage.ConversationRecordings && e.ConversationID == h.conv && e.MessageID == "" {
				told++
			}
		}
		return told == times
	}, func() string { return fmt.Sprintf("told %d times; want %d", told, times) })
}

func (h *harness) eventually(is func() bool, otherwise func() string) {
	h.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); !is(); {
		select {
		case <-tick.C: // the records call nobody
		case <-late:
			h.t.Fatal(otherwise())
		}
	}
}
