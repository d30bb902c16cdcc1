package api

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"hark/storage"
)

func TestSignedAddress(t *testing.T) {
	s := signer{key: []byte("0123456789abcdef0123456789abcdef"), life: 15 * time.Minute}
	now := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	actor := storage.Actor{WorkspaceID: "w1", UserID: "u1"}
	signed := func() url.Values {
		return s.sign(actor, "m1", url.Values{paramFormat: {"rendition"}, paramVersion: {"1"}}, now.Add(time.Minute))
	}

	got, err := s.verify("m1", signed(), now)
	if err != nil || got.WorkspaceID != "w1" || got.UserID != "u1" {
		t.Fatalf("a good address gave %+v, %v", got, err)
	}
	for name, c := range map[string]struct {
		message string
		change  func(url.Values)
		now     time.Time
	}{
		"another message":   {"m2", func(url.Values) {}, now},
		"another form":      {"m1", func(q url.Values) { q.Del(paramFormat) }, now},
		"another version":   {"m1", func(q url.Values) { q.Set(paramVersion, "2") }, now},
		"a later end":       {"m1", func(q url.Values) { q.Set(paramExpires, "9999999999") }, now},
		"another person":    {"m1", func(q url.Values) { q.Set(paramAs, "w1.u2") }, now},
		"another workspace": {"m1", func(q url.Values) { q.Set(paramAs, "w2.u1") }, now},
		"no signature":      {"m1", func(q url.Values) { q.Del(paramSignature) }, now},
		"nonsense":          {"m1", func(q url.Values) { q.Set(paramSignature, "!") }, now},
		"too late":          {"m1", func(url.Values) {}, now.Add(time.Minute)},
	} {
		q := signed()
		c.change(q)
		_, err := s.verify(c.message, q, c.now)
		if err == nil || problemOf(err).Status != http.StatusUnauthorized {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSignedAddressLife signs, with the right key, addresses that end later than
// any that is given out: whoever got hold of the key cannot make one to keep.
func TestSignedAddressLife(t *testing.T) {
	s := signer{key: []byte("0123456789abcdef0123456789abcdef"), life: 15 * time.Minute}
	now := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	actor := storage.Actor{WorkspaceID: "w1", UserID: "u1"}
	for _, c := range []struct {
		end     time.Duration
		refused bool
	}{
		{15 * time.Minute, false},
		{15*time.Minute + clockSkew, false}, // given out by a node whose clock is ahead
		{15*time.Minute + clockSkew + time.Second, true},
		{10 * 365 * 24 * time.Hour, true},
		{1 << 62, true},
	} {
		_, err := s.verify("m1", s.sign(actor, "m1", url.Values{}, now.Add(c.end)), now)
		if refused := err != nil && problemOf(err).Status == http.StatusUnauthorized; refused != c.refused {
			t.Errorf("an address for %s: %v", c.end, err)
		}
	}
}

func TestEventIDs(t *testing.T) {
	ids, err := newEventIDs([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for seq := range int64(100) {
		id := ids.seal("w1", seq)
		if got, err := ids.open("w1", id); err != nil || got != seq {
			t.Fatalf("id of %d opens as %d, %v", seq, got, err)
		}
		if _, err := ids.open("w2", id); err == nil {
			t.Fatal("an id opens in another workspace")
		}
		seen[id] = true
	}
	if len(seen) != 100 {
		t.Fatal("ids repeat")
	}
	if seq, err := ids.open("w1", "0"); err != nil || seq != 0 {
		t.Fatalf("the beginning is %d, %v", seq, err)
	}
}

func FuzzEventID(f *testing.F) {
	ids, err := newEventIDs([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "0", "1", "-1", ids.seal("w1", 7), ids.seal("w2", 7), "AAAAAAAAAAAAAAAAAAAAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		seq, err := ids.open("w1", id)
		if err == nil && id != "0" && ids.seal("w1", seq) != id && seq < 0 {
			t.Fatalf("%q opens as %d", id, seq)
		}
	})
}
