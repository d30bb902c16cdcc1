package disktest

import (
	"reflect"
	"strings"
	"testing"
)

// TestParse reads calls of two threads, of which one is cut in two and one
// fails.
func TestParse(t *testing.T) {
	got, err := parse(strings.NewReader(`7  write(3</d/a>, "one\n", 4) = 4
7  fsync(3</d/a> <unfinished ...>
8  writev(9<socket:[1]>, [{iov_base="HTTP/1.1 200", iov_len=12}], 1) = 12
8  fsync(4</d/b>) = -1 EIO (Input/output error)
7  <... fsync resumed>) = 0
8  syncfs(5</d>) = 0
8  exit_group(0) = ?
`))
	want := []Call{
		{"7", "write", "/d/a", `one\n`},
		{"7", "fsync", "/d/a", ""},
		{"8", "writev", "socket:[1]", "HTTP/1.1 200"},
		{"8", "fsync", "/d/b", ""},
		{"7", Synced, "/d/a", ""},
		{"8", "syncfs", "/d", ""},
		{"8", Synced, "/d", ""},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}
