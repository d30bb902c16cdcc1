package query

import "testing"

func TestBegins(t *testing.T) {
	for _, c := range []struct {
		name, words string
		want        bool
	}{
		{"Žofie Dvořák", "zof", true},
		{"Žofie Dvořák", "DVOŘ z", true},
		{"Žofie Dvořák", "ofie", false},
		{"Žofie Dvořák", "zofie novak", false},
		{"Ada", "", true},
		{"Ada", "  ", true},
		{"Ada", "%", false},
		{"🚢 Ship", "🚢", true},
		{"Anna-Lena O'Neill", "lena oneill", true},
	} {
		if got := Begins(c.words)(c.name); got != c.want {
			t.Errorf("%q begins %q: %v", c.words, c.name, got)
		}
	}
}
