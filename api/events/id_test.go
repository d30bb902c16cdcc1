package events

import (
	"errors"
	"testing"
	"time"

	"hark/storage"
)

func testSealer(t testing.TB, workspaceID, userID string) sealer {
	t.Helper()
	s, err := newSealer([]byte("0123456789abcdef0123456789abcdef"), storage.Principal{WorkspaceID: workspaceID, UserID: userID})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestIDs(t *testing.T) {
	mine := testSealer(t, "w1", "u1")
	at := time.UnixMilli(1_772_358_300_123).UTC()
	seen, length := map[string]bool{}, len(mine.sealPlace(place{}))
	for seq := range int64(100) {
		e := storage.Event{Seq: seq, At: at}
		of := mine.sealEvent(e)
		if of != testSealer(t, "w1", "u1").sealEvent(e) {
			t.Fatalf("event %d has another id on another stream", seq)
		}
		for _, id := range []string{of, mine.sealPlace(place{seq, at}), mine.sealPlace(place{seq, at})} {
			if got, err := mine.open(id); err != nil || got != (place{seq, at}) {
				t.Fatalf("id of %d opens as %+v, %v", seq, got, err)
			}
			if seen[id] || len(id) != length {
				t.Fatalf("id %s of %d came before, or has another length than %d", id, seq, length)
			}
			seen[id] = true
			for _, other := range []sealer{testSealer(t, "w1", "u2"), testSealer(t, "w2", "u1"), testSealer(t, "w1\x00u1", "")} {
				if _, err := other.open(id); !errors.Is(err, ErrBadID) {
					t.Fatalf("another's id: %v", err)
				}
			}
		}
	}
	if p, err := mine.open("0"); err != nil || p != (place{}) {
		t.Fatalf("the beginning is %+v, %v", p, err)
	}
	if p, err := mine.open(mine.sealPlace(place{})); err != nil || p != (place{}) {
		t.Fatalf("the sealed beginning is %+v, %v", p, err)
	}
}

func FuzzID(f *testing.F) {
	mine := testSealer(f, "w1", "u1")
	given := map[string]bool{"0": true}
	for _, seed := range []string{
		mine.sealEvent(storage.Event{Seq: 7, At: time.UnixMilli(1)}), mine.sealPlace(place{}), mine.sealPlace(place{1 << 62, time.UnixMilli(1 << 50)}),
	} {
		given[seed] = true
		f.Add(seed)
	}
	for _, seed := range []string{"", "0", "1", "-1", testSealer(f, "w1", "u2").sealPlace(place{}), "AAAAAAAAAAAAAAAAAAAAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		switch p, err := mine.open(id); {
		case err == nil && !given[id]:
			t.Fatalf("%q is made up, and opens as %+v", id, p)
		case err != nil && !errors.Is(err, ErrBadID):
			t.Fatalf("%q: %v", id, err)
		}
	})
}
