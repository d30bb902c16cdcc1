package cursor

import (
	"errors"
	"strings"
	"testing"

	"hark/storage"
)

// place is like the largest of those that lists have.
type place struct {
	Below   int64
	Weights []int64
	Score   int64
	Doc     int64
	Text    string
}

func testSeal(tb testing.TB) *Seal {
	tb.Helper()
	seal, err := New([]byte(strings.Repeat("k", 32)))
	if err != nil {
		tb.Fatal(err)
	}
	return seal
}

func TestCursorOpensOnlyWhereItWasMade(t *testing.T) {
	seal := testSeal(t)
	made := place{Below: 1 << 50, Weights: []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1600}, Score: 3, Doc: 1<<50 - 1, Text: strings.Repeat("x", 300)}
	cursor, err := seal.Close("a list", made)
	if err != nil || len(cursor) > maxLength {
		t.Fatalf("cursor of %d characters, %v", len(cursor), err)
	}
	var back place
	if err := seal.Open("a list", cursor, &back); err != nil || back.Doc != made.Doc || back.Text != made.Text {
		t.Errorf("opened as %+v, %v", back, err)
	}
	if err := seal.Open("another list", cursor, &back); !errors.Is(err, storage.ErrBadCursor) {
		t.Errorf("another list took it: %v", err)
	}
}

func TestCursorKeys(t *testing.T) {
	for _, key := range []string{"", "short"} {
		if _, err := New([]byte(key)); err == nil {
			t.Errorf("key %q was taken", key)
		}
	}
}

func FuzzOpen(f *testing.F) {
	seal := testSeal(f)
	good, err := seal.Close("list", place{Doc: 7})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, cursor string) {
		var got place
		err := seal.Open("list", cursor, &got)
		if err != nil && !errors.Is(err, storage.ErrBadCursor) {
			t.Fatalf("an error that is no refusal: %v", err)
		}
		if err == nil && got.Doc != 7 {
			t.Fatalf("a cursor that we did not make: %+v", got)
		}
	})
}
