package storage

import (
	"errors"
	"slices"
	"testing"
)

func TestParseScopes(t *testing.T) {
	room := "conversation:" + NewID()
	for _, c := range []struct {
		list []string
		want Scopes
		bad  bool
	}{
		{nil, "", false},
		{[]string{"write", "read", "read"}, "read write", false},
		{[]string{room, "record"}, Scopes(room + " record"), false},
		{[]string{room}, "", true},
		{[]string{room, "read", "admin"}, "", true},
		{[]string{"conversation:x", "read"}, "", true},
		{[]string{"everything"}, "", true},
		{[]string{"sound:" + NewID()}, "", true}, // of signed addresses alone
		{[]string{"read write"}, "", true},
		{[]string{""}, "", true},
		{[]string{"scim", "scim"}, "scim", false},
		{[]string{"scim", "read"}, "", true},
		{[]string{room, "scim"}, "", true},
	} {
		got, err := ParseScopes(c.list)
		if got != c.want || errors.Is(err, ErrInvalid) != c.bad {
			t.Errorf("%q: %q, %v", c.list, got, err)
		}
	}
}

func TestScopesWithin(t *testing.T) {
	for _, c := range []struct {
		child, parent Scopes
		within        bool
	}{
		{"", "", true},
		{"read", "", true},
		{"", "read write record", false},
		{"read", "read write", true},
		{"read admin", "read write", false},
		{"conversation:a read", "read", true},
		{"read", "conversation:a read", false},
		{"", "conversation:a read", false},
		{"conversation:a read", "conversation:a conversation:b read", true},
		{"conversation:a conversation:c read", "conversation:a conversation:b read", false},
		{"read", "sound:m", false},
		{"scim", "admin read record write", false},
		{"read", "scim", false},
	} {
		if got := c.child.Within(c.parent); got != c.within {
			t.Errorf("%q within %q: %v", c.child, c.parent, got)
		}
	}
}

func TestScopesAllow(t *testing.T) {
	for _, need := range actions {
		if !Scopes("").Allow(need) || SoundOf("m").Allow(need) || !Scopes(need).Allow(need) || Scopes(ScopeProvision).Allow(need) || Scopes(need).Provision() {
			t.Errorf("%s", need)
		}
	}
	if Scopes("conversation:a read").Allow(ScopeWrite) || !slices.Equal(Scopes("conversation:a conversation:b read").Conversations(), []string{"a", "b"}) {
		t.Error("of a conversation")
	}
	if held := Scopes("conversation:a read"); !held.Cover("a") || held.Cover("b") || !Scopes("read").Cover("b") {
		t.Error("a scope of a conversation reaches elsewhere, or not into it")
	}
	if all := Scopes("").List(); len(all) != 4 || Scopes("").Conversations() != nil {
		t.Errorf("all are %v", all)
	}
}
