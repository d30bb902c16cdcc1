package speechtest

import (
	"fmt"
	"io"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// Engine is an engine that the tests of a package share, since loading its
// model takes a second.
type Engine[E io.Closer] struct {
	Open func(models string) (E, error) // with the models in a folder

	once   sync.Once
	opened bool
	engine E
	err    error
}

// Get opens the engine the first time.
func (e *Engine[E]) Get(t testing.TB) E {
	t.Helper()
	dir := Models(t)
	e.once.Do(func() {
		e.engine, e.err = e.Open(dir)
		e.opened = e.err == nil
	})
	if e.err != nil {
		t.Fatal(e.err)
	}
	return e.engine
}

// Main runs the tests of a package, closes the engine, and fails when goroutines
// are left.
func (e *Engine[E]) Main(m *testing.M) {
	code := m.Run()
	if e.opened {
		if err := e.engine.Close(); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
