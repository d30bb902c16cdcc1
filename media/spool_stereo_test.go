package media

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
)

// turn is how long each of two speaks.
const turn = 2 * SampleRate

// noise is different for each seed, and loud only in every other turn.
func noise(n int, seed uint64, first int) []float32 {
	rng := rand.New(rand.NewPCG(seed, seed))
	p := make([]float32, n)
	for i := range p {
		p[i] = float32(rng.NormFloat64()) * 0.0005
		if i/turn%2 == first {
			p[i] *= 100
		}
	}
	return p
}

func wantSamples(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d samples, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if d := got[i] - want[i]; d > 1e-4 || d < -1e-4 {
			t.Errorf("%s: sample %d is %v, want %v", what, i, got[i], want[i])
			return
		}
	}
}

// TestSpoolOfTwoChannels has the channels part in the middle of a block, with a
// reader that was there before and one that comes after.
func TestSpoolOfTwoChannels(t *testing.T) {
	const split, n = 40_001, 200_003
	left := noise(n, 1, 0)
	for name, c := range map[string]struct {
		right []float32
		mix   Mix
	}{
		"the same":    {left, Mix{}},
		"inverted":    {scale(left, -1), Mix{Left: 0.5, Right: -0.5}},
		"dead":        {make([]float32, n), Mix{Left: 1}},
		"like it":     {add(left, noise(n, 3, 0), 0.1), Mix{Left: 0.5, Right: 0.5}},
		"in turn":     {noise(n, 2, 1), Mix{Left: 0.5, Right: 0.5, Apart: true}},
		"much louder": {scale(left, 8), Mix{Right: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			right := append(append([]float32{}, left[:split]...), c.right[split:]...)
			want := append([]float32{}, left...)
			if c.mix != (Mix{}) {
				for i := split; i < n; i++ {
					want[i] = max(-1, min(1, c.mix.Left*left[i]+c.mix.Right*right[i]))
				}
			}
			s := newSpool(t)
			var early sync.WaitGroup
			var got []float32
			var err error
			early.Go(func() { got, err = readAll(s.NewReader(t.Context()), 1000) })
			rng := rand.New(rand.NewPCG(1, 2))
			for at := 0; at < n; {
				k := min(n-at, 1+rng.IntN(9000))
				if at+k <= split && rng.IntN(2) == 0 {
					k = min(k, split-at)
					if err := s.WriteSamples(left[at : at+k]); err != nil {
						t.Fatal(err)
					}
				} else if err := s.Write(left[at:at+k], right[at:at+k]); err != nil {
					t.Fatal(err)
				}
				at += k
			}
			if _, ok := s.Mix(); ok {
				t.Error("a mix before the end")
			}
			if err := s.CloseWrite(nil); err != nil {
				t.Fatal(err)
			}
			early.Wait()
			if mix, differ := s.Mix(); mix != c.mix || differ != (c.mix != Mix{}) {
				t.Errorf("the mix is %+v, %v", mix, differ)
			}
			if !errors.Is(err, io.EOF) {
				t.Errorf("the early reader ended with %v", err)
			}
			wantSamples(t, "early reader", got, want)
			late := s.NewReader(t.Context())
			got, _ = readAll(late, 777)
			wantSamples(t, "late reader", got, want)
			if late.Apart() != c.mix.Apart {
				t.Errorf("apart: %v", late.Apart())
			}
			for i, want := range [][]float32{left, right} {
				if !c.mix.Apart {
					continue
				}
				got := readChannel(t, late, i)
				for k := range got { // what is faint may be taken for the other's
					if want[k] < 0.005 && want[k] > -0.005 && got[k] == 0 {
						got[k] = want[k]
					}
				}
				wantSamples(t, "channel", got, want)
			}
		})
	}
}

func scale(p []float32, by float32) []float32 { return add(nil, p, by) }

// add returns a + by*b.
func add(a, b []float32, by float32) []float32 {
	sum := make([]float32, len(b))
	copy(sum, a)
	for i, x := range b {
		sum[i] += by * x
	}
	return sum
}

func readChannel(t *testing.T, r *SpoolReader, channel int) []float32 {
	t.Helper()
	var all []float32
	for p := make([]float32, 999); ; {
		n, err := r.ReadChannel(channel, int64(len(all)), p)
		all = append(all, p[:n]...)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestSpoolReadersWaitWhereChannelsPart is about what is read before anything
// can be decided.
func TestSpoolReadersWaitWhereChannelsPart(t *testing.T) {
	s, broken := newSpool(t), errors.New("clip ended early")
	left := noise(100_000, 1, 0)
	right := append(append([]float32{}, left[:50_000]...), noise(50_000, 2, 1)...)
	if err := s.Write(left, right); err != nil {
		t.Fatal(err)
	}
	r, read := s.NewReader(t.Context()), 0
	for p := make([]float32, 7000); read < 50_000; {
		n, err := r.ReadSamples(p)
		if read += n; err != nil || read > 50_000 {
			t.Fatalf("read %d samples and %v", read, err)
		}
	}
	if r.Apart() {
		t.Error("apart before the end")
	}
	rest := make(chan int)
	go func() {
		got, err := readAll(r, 5000)
		if !errors.Is(err, broken) {
			t.Errorf("ended with %v", err)
		}
		rest <- len(got)
	}()
	if err := s.CloseWrite(broken); err != nil {
		t.Fatal(err)
	}
	if n := <-rest; n != 50_000 {
		t.Errorf("read %d more samples", n)
	}
}

// TestSpoolOfLeakingChannels has each channel's speaker in the other as well,
// fainter, and perhaps late.
func TestSpoolOfLeakingChannels(t *testing.T) {
	const n = 20 * SampleRate
	one, two := speech(n, 1, 0), speech(n, 2, 1)
	for _, late := range []int{0, 300, SampleRate / 5, SampleRate * 3 / 4} {
		s := newSpool(t)
		after := func(p []float32) []float32 { return append(make([]float32, late), p[:n-late]...) }
		if err := errors.Join(s.Write(add(one, after(two), 0.1), add(two, after(one), 0.1)), s.CloseWrite(nil)); err != nil {
			t.Fatal(err)
		}
		r := s.NewReader(t.Context())
		if _, err := r.ReadSamples(make([]float32, 1)); err != nil || !r.Apart() {
			t.Fatalf("apart %v, %v", r.Apart(), err)
		}
		for i, channel := range [][]float32{readChannel(t, r, 0), readChannel(t, r, 1)} {
			for at := 0; at < n; at += turn {
				own := at/turn%2 == i
				from, to := at, at+turn
				if !own {
					from, to = at+turn/4, at+turn*3/4 // what is near to its own is left as it is
				}
				loudest := float32(0)
				for _, x := range channel[from:to] {
					loudest = max(loudest, x, -x)
				}
				if own != (loudest > 0.1) || !own && loudest != 0 {
					t.Errorf("late by %d: channel %d at %d: own %v, as loud as %v", late, i, at, own, loudest)
				}
			}
		}
	}
}

// speech is noise that goes up and down, some syllables a second.
func speech(n int, seed uint64, first int) []float32 {
	p, rng, loud := noise(n, seed, first), rand.New(rand.NewPCG(seed, 9)), float32(1)
	for i := range p {
		if i%(SampleRate/12) == 0 {
			loud = rng.Float32()
		}
		p[i] *= loud
	}
	return p
}

func TestSpoolSecondFileThatCannotBeMade(t *testing.T) {
	s := newSpool(t)
	s.dir = os.DevNull // stands for a full disk
	left := noise(1000, 1, 0)
	if err := s.Write(left, noise(1000, 2, 1)); err == nil {
		t.Fatal("no error")
	}
	if err := s.CloseWrite(nil); err == nil {
		t.Error("CloseWrite forgot the error")
	}
	if _, err := readAll(s.NewReader(t.Context()), 8); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("readers got %v, want the error", err)
	}
}
