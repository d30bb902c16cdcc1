package sound

import (
	"errors"
	"testing"
	"time"
)

func TestParseRange(t *testing.T) {
	const size = 1000
	for _, c := range []struct {
		header string
		want   span
		ok     bool
		err    error
	}{
		{header: ""},
		{header: "bytes=0-0", want: span{0, 1}, ok: true},
		{header: "bytes=0-", want: span{0, 1000}, ok: true},
		{header: "bytes=0-499", want: span{0, 500}, ok: true},
		{header: "bytes=500-", want: span{500, 500}, ok: true},
		{header: "bytes=999-", want: span{999, 1}, ok: true},
		{header: "bytes=999-5000", want: span{999, 1}, ok: true},
		{header: "bytes=-1", want: span{999, 1}, ok: true},
		{header: "bytes=-5000", want: span{0, 1000}, ok: true},
		{header: "BYTES=10-19", want: span{10, 10}, ok: true},
		{header: "bytes=0-99999999999999999999", want: span{0, 1000}, ok: true},
		{header: "bytes=1000-", err: errBehindEnd},
		{header: "bytes=1000-2000", err: errBehindEnd},
		{header: "bytes=99999999999999999999-", err: errBehindEnd},
		{header: "bytes=-0", err: errBehindEnd},
		// What cannot be read, or need not be answered in part, is answered whole.
		{header: "bytes=0-1,5-6"},
		{header: "bytes=5-4"},
		{header: "bytes=a-b"},
		{header: "bytes=-"},
		{header: "bytes=+1-2"},
		{header: "bytes=1"},
		{header: "bytes"},
		{header: "seconds=1-2"},
	} {
		got, ok, err := parseRange(c.header, size)
		if got != c.want || ok != c.ok || !errors.Is(err, c.err) {
			t.Errorf("parseRange(%q) = %v, %v, %v; want %v, %v, %v", c.header, got, ok, err, c.want, c.ok, c.err)
		}
	}
}

func FuzzParseRange(f *testing.F) {
	for _, seed := range []string{"bytes=0-", "bytes=-5", "bytes=3-9", "bytes=9-3", "bytes=1-2,3-4", "bytes=99999999999999999999-", "bytes= 1 - 2"} {
		f.Add(seed, int64(100))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			t.Skip("no representation has a negative size")
		}
		part, ok, err := parseRange(header, size)
		if ok && err != nil {
			t.Fatal("a range that is both good and not")
		}
		if ok && (part.offset < 0 || part.length < 1 || part.offset+part.length > size) {
			t.Fatalf("parseRange(%q, %d) = %+v, which is outside", header, size, part)
		}
	})
}

func TestRangeHolds(t *testing.T) {
	const etag = `"abc"`
	modified := time.Date(2026, 3, 1, 9, 30, 0, 123e6, time.UTC)
	const same, later, earlier = "Sun, 01 Mar 2026 09:30:00 GMT", "Sun, 01 Mar 2026 09:30:01 GMT", "Sun, 01 Mar 2026 09:29:59 GMT"
	for _, c := range []struct {
		ifRange string
		want    bool
	}{
		{"", true}, {etag, true}, {`"x"`, false}, {`W/"abc"`, false}, {same, true}, {later, false}, {earlier, false}, {"nonsense", false},
	} {
		if got := rangeHolds(c.ifRange, etag, modified); got != c.want {
			t.Errorf("rangeHolds(%q) = %v", c.ifRange, got)
		}
	}
}
