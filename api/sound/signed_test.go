package sound

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"hark/api/problem"
)

func TestSignedAddress(t *testing.T) {
	s := signer{key: []byte("0123456789abcdef0123456789abcdef"), life: 15 * time.Minute}
	now := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	signed := func() url.Values {
		return s.sign("c1", "m1", url.Values{paramFormat: {"rendition"}, paramVersion: {"1"}}, now.Add(time.Minute))
	}

	got, err := s.verify("m1", signed(), now)
	if err != nil || got != "c1" {
		t.Fatalf("a good address gave %q, %v", got, err)
	}
	for name, c := range map[string]struct {
		message string
		change  func(url.Values)
		now     time.Time
	}{
		"another message": {"m2", func(url.Values) {}, now},
		"another form":    {"m1", func(q url.Values) { q.Del(paramFormat) }, now},
		"another version": {"m1", func(q url.Values) { q.Set(paramVersion, "2") }, now},
		"a later end":     {"m1", func(q url.Values) { q.Set(paramExpires, "9999999999") }, now},
		"another person":  {"m1", func(q url.Values) { q.Set(paramAs, "c2") }, now},
		"no signature":    {"m1", func(q url.Values) { q.Del(paramSignature) }, now},
		"nonsense":        {"m1", func(q url.Values) { q.Set(paramSignature, "!") }, now},
		"too late":        {"m1", func(url.Values) {}, now.Add(time.Minute)},
	} {
		q := signed()
		c.change(q)
		_, err := s.verify(c.message, q, c.now)
		if err == nil || problem.From(err).Status != http.StatusUnauthorized {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSignedAddressLife signs, with the right key, addresses that end later than
// any that is given out: whoever got hold of the key cannot make one to keep.
func TestSignedAddressLife(t *testing.T) {
	s := signer{key: []byte("0123456789abcdef0123456789abcdef"), life: 15 * time.Minute}
	now := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
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
		_, err := s.verify("m1", s.sign("c1", "m1", url.Values{}, now.Add(c.end)), now)
		if refused := err != nil && problem.From(err).Status == http.StatusUnauthorized; refused != c.refused {
			t.Errorf("an address for %s: %v", c.end, err)
		}
	}
}
