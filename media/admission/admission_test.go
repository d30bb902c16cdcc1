package admission

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func enter(t *testing.T, g *Gate, key string) func() {
	t.Helper()
	leave, err := g.Enter(t.Context(), key, 0)
	if err != nil {
		t.Fatal(err)
	}
	return leave
}

func wantEmpty(t *testing.T, g *Gate) {
	t.Helper()
	if g.InUse() != 0 || len(g.waiting) != 0 || len(g.keys) != 0 {
		t.Errorf("%d in use, %d waiting, keys %v, after all have left", g.InUse(), len(g.waiting), g.keys)
	}
}

func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Limits{Places: 3, PerKey: 2, Patience: time.Second})
		leave := []func(){enter(t, g, "a"), enter(t, g, "a"), enter(t, g, "b")}
		began := time.Now()
		if _, err := g.Enter(t.Context(), "a", 0); !errors.Is(err, ErrKeyFull) {
			t.Errorf("a third of one key: %v", err)
		}
		if _, err := g.Enter(t.Context(), "b", 0); !errors.Is(err, ErrFull) {
			t.Errorf("a fourth of all: %v", err)
		}
		if waited := time.Since(began); waited != 2*time.Second {
			t.Errorf("two refusals took %v, want the patience of each", waited)
		}
		for _, l := range leave {
			l()
			l() // which changes nothing
		}
		wantEmpty(t, g)
	})
}

// TestOneKeyAtATime has two hundred of one key come at once: all get in, two
// at a time.
func TestOneKeyAtATime(t *testing.T) {
	g := New(Limits{Places: 3, PerKey: 2})
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			leave, err := g.Enter(t.Context(), "a", 0)
			if err != nil {
				t.Error(err)
				return
			}
			if n := g.InUse(); n > 2 {
				t.Errorf("%d are in", n)
			}
			leave()
		})
	}
	all.Wait()
	wantEmpty(t, g)
}

// TestOrder fills a gate, has callers queue one after the other, and looks at
// the order in which they are admitted.
func TestOrder(t *testing.T) {
	type caller struct {
		name, key string
		class     int
	}
	for name, c := range map[string]struct {
		limits Limits
		queue  []caller
		want   []string
	}{
		"first come": {Limits{Places: 1}, []caller{{"1", "", 0}, {"2", "", 0}, {"3", "", 0}}, []string{"1", "2", "3"}},
		"the urgent overtake": {
			Limits{Places: 1},
			[]caller{{"bulk 1", "", 1}, {"bulk 2", "", 1}, {"now 1", "", 0}, {"live", "", -1}, {"now 2", "", 0}},
			[]string{"live", "now 1", "now 2", "bulk 1", "bulk 2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := New(c.limits)
				leave := enter(t, g, "holder")
				var mu sync.Mutex
				var order []string
				for _, q := range c.queue {
					go func() {
						leave, err := g.Enter(t.Context(), q.key, q.class)
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						order = append(order, q.name)
						mu.Unlock()
						leave()
					}()
					synctest.Wait()
				}
				leave()
				synctest.Wait()
				if !slices.Equal(order, c.want) {
					t.Errorf("admitted %q, want %q", order, c.want)
				}
				wantEmpty(t, g)
			})
		})
	}
}

// TestFullKeyHoldsNobodyUp has one of another key come behind one whose key is
// at its bound.
func TestFullKeyHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Limits{Places: 2, PerKey: 1})
		a, b := enter(t, g, "a"), enter(t, g, "b")
		admitted := make(chan string, 2)
		for _, key := range []string{"a", "c"} {
			go func() {
				leave := enter(t, g, key)
				admitted <- key
				leave()
			}()
			synctest.Wait()
		}
		b()
		if key := <-admitted; key != "c" {
			t.Errorf("%s was admitted first", key)
		}
		a()
		<-admitted
		synctest.Wait()
		wantEmpty(t, g)
	})
}

func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Limits{Places: 1, PerKey: 1, Waiting: 1})
		leave := enter(t, g, "a")
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error)
		go func() {
			_, err := g.Enter(ctx, "a", 0)
			ended <- err
		}()
		synctest.Wait()
		if _, err := g.Enter(t.Context(), "b", 0); !errors.Is(err, ErrFull) {
			t.Errorf("one too many to wait: %v", err)
		}
		cancel(gone)
		if err := <-ended; !errors.Is(err, gone) {
			t.Errorf("a caller whose context ended: %v", err)
		}
		leave()
		wantEmpty(t, g)
	})
}
