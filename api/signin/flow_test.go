package signin

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"hark/api/openid"
)

// A flow is opened by who sealed it, as it was, and not for long.
func TestFlow(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	ours, err := newFlows(key)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := newFlows(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	seal := func(f flows, at time.Time) string {
		one := flow{Flow: openid.NewFlow(true), Provider: "op", Purpose: toLink, To: "/settings", Credential: "c"}
		one.At = at
		sealed, err := f.seal(one)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	now := time.Now()
	good := seal(ours, now)
	if got, err := ours.open(good); err != nil || got.Provider != "op" || got.Purpose != toLink || got.Credential != "c" || !got.Fresh || got.Verifier == "" || !got.At.Equal(now) {
		t.Errorf("%+v, %v", got, err)
	}
	if good == seal(ours, now) || strings.Contains(good, "settings") {
		t.Error("a flow can be read, or told from another")
	}
	for name, sealed := range map[string]string{
		"nothing": "", "too short": "AAAA", "no base64": "%%%", "another key's": seal(theirs, now), "too old": seal(ours, now.Add(-flowLife-time.Second)),
		"changed": good[:40] + map[bool]string{true: "B", false: "A"}[good[40] == 'A'] + good[41:], "cut": good[:len(good)-4], "too long": good + strings.Repeat("A", maxFlow),
	} {
		if got, err := ours.open(sealed); err == nil || got != (flow{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
