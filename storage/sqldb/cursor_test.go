package sqldb

import (
	"errors"
	"strings"
	"testing"

	"hark/storage"
)

func testSeal(tb testing.TB) *cursorSeal {
	tb.Helper()
	seal, err := newCursorSeal([]byte(strings.Repeat("k", 32)))
	if err != nil {
		tb.Fatal(err)
	}
	return seal
}

func TestCursorOpensOnlyWhereItWasMade(t *testing.T) {
	seal := testSeal(t)
	made := searchPlace{Below: 1 << 50, Weights: []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1600}, Score: 3, Doc: 1<<50 - 1, Text: strings.Repeat("x", 300)}
	cursor, err := seal.close("a list", made)
	if err != nil || len(cursor) > maxCursor {
		t.Fatalf("cursor of %d characters, %v", len(cursor), err)
	}
	var back searchPlace
	if err := seal.open("a list", cursor, &back); err != nil || back.Doc != made.Doc || back.Text != made.Text {
		t.Errorf("opened as %+v, %v", back, err)
	}
	if err := seal.open("another list", cursor, &back); !errors.Is(err, storage.ErrBadCursor) {
		t.Errorf("another list took it: %v", err)
	}
}

func TestCursorKeys(t *testing.T) {
	for _, key := range []string{"", "short"} {
		if _, err := newCursorSeal([]byte(key)); err == nil {
			t.Errorf("key %q was taken", key)
		}
	}
}

func FuzzCursor(f *testing.F) {
	seal := testSeal(f)
	good, err := seal.close("list", searchPlace{Doc: 7})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, cursor string) {
		var place searchPlace
		err := seal.open("list", cursor, &place)
		if err != nil && !errors.Is(err, storage.ErrBadCursor) {
			t.Fatalf("an error that is no refusal: %v", err)
		}
		if err == nil && place.Doc != 7 {
			t.Fatalf("a cursor that we did not make: %+v", place)
		}
	})
}
