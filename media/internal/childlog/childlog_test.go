package childlog

import (
	"strings"
	"testing"
)

func TestHeadKeepsTheFirst(t *testing.T) {
	var h Head
	for _, part := range []string{" first\nsecond  ", strings.Repeat("x", limit), "last"} {
		if n, err := h.Write([]byte(part)); n != len(part) || err != nil {
			t.Errorf("Write gave %d, %v", n, err)
		}
	}
	if len(h.kept) != limit || !strings.HasPrefix(h.String(), "first\nsecond  x") || !strings.HasPrefix(h.OneLine(), "first second x") || strings.Contains(h.String(), "last") {
		t.Errorf("kept %d bytes: %.20q", len(h.kept), h.String())
	}
}
