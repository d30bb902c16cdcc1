package media

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
)

func newSpool(t *testing.T) *Spool {
	t.Helper()
	dir := t.TempDir()
	s, err := NewSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Fatalf("the spool left a name behind: %v", left)
	}
	return s
}

func ramp(n int) []float32 {
	p := make([]float32, n)
	for i := range p {
		p[i] = float32(i%60000-30000) / 32768
	}
	return p
}

func readAll(r *SpoolReader, step int) ([]float32, error) {
	var all []float32
	p := make([]float32, step)
	for {
		n, err := r.ReadSamples(p)
		all = append(all, p[:n]...)
		if err != nil {
			return all, err
		}
	}
}

func TestSpoolManyReadersWhileItGrows(t *testing.T) {
	s, want := newSpool(t), ramp(200_001)
	var wg sync.WaitGroup
	read := func(step int) {
		wg.Go(func() {
			got, err := readAll(s.NewReader(t.Context()), step)
			if !errors.Is(err, io.EOF) {
				t.Errorf("reader ended with %v, want io.EOF", err)
			}
			if len(got) != len(want) {
				t.Errorf("read %d samples, want %d", len(got), len(want))
				return
			}
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("sample %d is %v, want %v", i, got[i], want[i])
					return
				}
			}
		})
	}
	for _, step := range []int{1000, 8192, 100_000} {
		read(step)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for rest := want; len(rest) > 0; {
		n := min(len(rest), 1+rng.IntN(9000))
		if err := s.WriteSamples(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := s.CloseWrite(nil); err != nil {
		t.Fatal(err)
	}
	read(777) // late, and still from the beginning
	wg.Wait()
	if s.Samples() != int64(len(want)) {
		t.Errorf("Samples() = %d, want %d", s.Samples(), len(want))
	}
}

func TestSpoolReaderGetsTheWritersError(t *testing.T) {
	s, broken := newSpool(t), errors.New("clip ended early")
	if err := s.WriteSamples(ramp(10)); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseWrite(broken); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(s.NewReader(t.Context()), 4)
	if len(got) != 10 || !errors.Is(err, broken) {
		t.Errorf("read %d samples and %v, want 10 and the writer's error", len(got), err)
	}
}

func TestSpoolBlockedReadersWake(t *testing.T) {
	stop := errors.New("told to stop")
	for name, c := range map[string]struct {
		wake func(s *Spool, cancel context.CancelCauseFunc)
		want error
	}{
		"by the context":  {func(_ *Spool, cancel context.CancelCauseFunc) { cancel(stop) }, stop},
		"by Close":        {func(s *Spool, _ context.CancelCauseFunc) { _ = s.Close() }, ErrSpoolClosed},
		"by an empty end": {func(s *Spool, _ context.CancelCauseFunc) { _ = s.CloseWrite(nil) }, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSpool(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			got := make(chan error)
			go func() {
				_, err := s.NewReader(ctx).ReadSamples(make([]float32, 1))
				got <- err
			}()
			c.wake(s, cancel)
			if err := <-got; !errors.Is(err, c.want) {
				t.Errorf("woke with %v, want %v", err, c.want)
			}
		})
	}
}

func TestSpoolWriteErrorIsFinal(t *testing.T) {
	s := newSpool(t)
	if err := s.file.Close(); err != nil { // stands for a disk that refuses
		t.Fatal(err)
	}
	s.file, _ = os.Open(os.DevNull) // opened for reading: every write fails
	if err := s.WriteSamples(ramp(spoolBuffer)); err == nil {
		t.Fatal("no error from a file that cannot be written")
	}
	if err := s.WriteSamples(ramp(1)); err == nil {
		t.Error("a later write forgot the error")
	}
	if err := s.CloseWrite(nil); err == nil {
		t.Error("CloseWrite forgot the error")
	}
	if _, err := readAll(s.NewReader(t.Context()), 8); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("readers got %v, want the write error", err)
	}
}

func TestToS16(t *testing.T) {
	for _, c := range []struct {
		in   float32
		want int16
	}{
		{0, 0},
		{1, 32767},
		{-1, -32768},
		{2, 32767},
		{-7, -32768},
		{1.4 / 32768, 1},
		{1.6 / 32768, 2},
		{-1.6 / 32768, -2},
		{float32(math.NaN()), 0},
		{float32(math.Inf(1)), 32767},
		{float32(math.Inf(-1)), -32768},
	} {
		if got := toS16(c.in); got != c.want {
			t.Errorf("toS16(%v) = %d, want %d", c.in, got, c.want)
		}
	}
}
