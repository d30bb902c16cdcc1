package storage

import (
	"strings"
	"testing"
	"time"
)

// The hashes were made by other means than Hark's, from what the documentation says.
func TestAuditHash(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 30, 0, 7e6, time.FixedZone("", 3600))
	first := AuditEntry{
		Seq: 1, At: at, Action: AuditUserRenamed, Actor: Actor{ActorUser, "u1", "Zoë"}, CredentialID: "c1", Address: "203.0.113.7", Agent: "curl/8",
		Target: Target{Kind: "user", ID: "u1"}, Details: map[string]string{"to": "Zoë", "from": "Zoe"},
	}
	const hash1 = "c1f07df439eb0aba127628f75c56ac7e42de666b2ca83450a025f1e82f3a61a4"
	if got := first.HashAfter(AuditRoot); got != hash1 {
		t.Errorf("got %s", got)
	}
	second := AuditEntry{Seq: 2, At: at.Add(993 * time.Millisecond), Action: AuditSignInFailed, Actor: Actor{Kind: ActorNobody}}
	if got := second.HashAfter(hash1); got != "1e01286c05dc84b7ad99f647a3627f036656d3c04c1fa6009eb3a26c7d7fdfd0" {
		t.Errorf("got %s", got)
	}
}

// No two entries have one text: what is moved from one field to the next, or into
// a detail, gives another hash.
func TestAuditHashKeepsFieldsApart(t *testing.T) {
	entries := map[string]AuditEntry{
		"plain":        {Seq: 1, Action: "a"},
		"later":        {Seq: 1, Action: "a", At: time.UnixMilli(1)},
		"number":       {Seq: 2, Action: "a"},
		"actor":        {Seq: 1, Action: "a", Actor: Actor{ID: "x"}},
		"name":         {Seq: 1, Action: "a", Actor: Actor{Name: "x"}},
		"credential":   {Seq: 1, Action: "a", CredentialID: "x"},
		"address":      {Seq: 1, Action: "a", Address: "x"},
		"agent":        {Seq: 1, Action: "a", Agent: "x"},
		"target":       {Seq: 1, Action: "a", Target: Target{ID: "x"}},
		"kind":         {Seq: 1, Action: "a", Target: Target{Kind: "x"}},
		"conversation": {Seq: 1, Action: "a", Target: Target{ConversationID: "x"}},
		"like a field": {Seq: 1, Action: "a", Agent: "x,0:,"},
		"detail":       {Seq: 1, Action: "a", Details: map[string]string{"x": "y"}},
		"two details":  {Seq: 1, Action: "a", Details: map[string]string{"x": "", "y": ""}},
	}
	seen := map[string]string{}
	for name, entry := range entries {
		hash := entry.HashAfter(AuditRoot)
		if other, same := seen[hash]; same {
			t.Errorf("%s and %s have one hash", name, other)
		}
		seen[hash] = name
	}
}

func TestAuditTidy(t *testing.T) {
	entry := AuditEntry{
		Actor: Actor{Name: "Ada\u202e"}, Agent: strings.Repeat("é", 200) + "\x00", Details: map[string]string{"none": "", "two\tlines": "a\nb", "long": strings.Repeat("x", 1000)},
	}
	entry.Tidy()
	if entry.Actor.Name != "Ada" || len(entry.Agent) != maxAuditAgent || len(entry.Details) != 2 || entry.Details["two\tlines"] != "a b" || len(entry.Details["long"]) != maxAuditDetail {
		t.Errorf("%+v", entry)
	}
}
