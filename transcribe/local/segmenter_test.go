package local

import (
	"math/rand/v2"
	"slices"
	"testing"

	"hark/transcribe/local/vad"
)

// said pushes windows of which the first samples tell their number, with the
// probabilities given, and returns all pieces.
func said(c cutting, probabilities []float32) []piece {
	s := newSegmenter(c)
	var pieces []piece
	for i, p := range probabilities {
		window := make([]float32, vad.WindowSamples)
		for k := range window {
			window[k] = float32(i)
		}
		pieces = append(pieces, s.push(window, p)...)
	}
	return append(pieces, s.flush()...)
}

// stretch is a number of windows with one probability.
func stretch(n int, p float32) []float32 {
	all := make([]float32, n)
	for i := range all {
		all[i] = p
	}
	return all
}

func concat(parts ...[]float32) (all []float32) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func TestSegmenterCutsAtPauses(t *testing.T) {
	c := pausesOfSpeech
	quiet, talk := stretch(c.merge+5, 0.01), stretch(100, 0.9)
	for _, tt := range []struct {
		name   string
		sound  []float32
		pieces []span // windows of speech from the first to the last of each piece
	}{
		{"nothing", nil, nil},
		{"silence", stretch(1000, 0.01), nil},
		{"a click", concat(quiet, stretch(c.minSpeech-1, 0.9), quiet), nil},
		{"one word", concat(stretch(50, 0), stretch(10, 0.9), quiet), []span{{50, 60}}},
		{"to the very end", concat(stretch(50, 0), talk), []span{{50, 150}}},
		{"a breath does not part", concat(talk, stretch(8, 0), stretch(50, 0.9), quiet), []span{{0, 158}}},
		{"a long pause parts", concat(talk, quiet, talk, quiet), []span{{0, 100}, {145, 245}}},
		{
			"enough is parted at a good pause", concat(stretch(c.enough, 0.9), stretch(c.good, 0), talk),
			[]span{{0, c.enough}, {c.enough + c.good, c.enough + c.good + 100}},
		},
		{
			"too much is parted at its best pause",
			concat(stretch(150, 0.9), stretch(8, 0), stretch(20, 0.9), stretch(4, 0), stretch(150, 0.9), quiet),
			[]span{{0, 150}, {158, 332}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pieces := said(c, tt.sound)
			if len(pieces) != len(tt.pieces) {
				t.Fatalf("%d pieces, want %d", len(pieces), len(tt.pieces))
			}
			for i, p := range pieces {
				first := int(p.at / vad.WindowSamples)
				got := span{first + p.speech[0].from, first + p.speech[len(p.speech)-1].to}
				if got != tt.pieces[i] {
					t.Errorf("piece %d has speech in %v, want %v", i, got, tt.pieces[i])
				}
			}
		})
	}
}

func TestSegmenterCutsSpeechAtItsFaintest(t *testing.T) {
	c := pausesOfSpeech
	s := newSegmenter(c)
	var pieces []piece
	faint := c.most - 40
	for i := range c.most + 50 {
		level := float32(0.3)
		if i == faint {
			level = 0.01
		}
		window := make([]float32, vad.WindowSamples)
		for k := range window {
			window[k] = level
		}
		pieces = append(pieces, s.push(window, 0.9)...)
	}
	pieces = append(pieces, s.flush()...)
	if len(pieces) != 2 || pieces[1].at != int64(faint*vad.WindowSamples) || pieces[1].pause != 0 {
		t.Fatalf("%d pieces, the second at %d after %d, want 2 and %d after 0",
			len(pieces), pieces[1].at/vad.WindowSamples, pieces[1].pause, faint)
	}
}

// TestSegmenterKeepsAllSpeech pushes random clips and checks what every
// caller relies on.
func TestSegmenterKeepsAllSpeech(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	c := pausesOfSpeech
	for range 10 {
		var sound []float32
		for len(sound) < 5000 {
			sound = append(sound, stretch(random.IntN(400), 0.5+random.Float32()/2)...)
			sound = append(sound, stretch(random.IntN(60), random.Float32()/6)...)
		}
		heard := make([]int, len(sound))
		end := 0
		for _, p := range said(c, sound) {
			first := int(p.at / vad.WindowSamples)
			if first < end {
				t.Fatalf("a piece begins at %d, before %d where the last one ended", first, end)
			}
			if len(p.samples) != len(p.prob)*vad.WindowSamples || len(p.prob) > c.most+2*c.pad+1 {
				t.Fatalf("a piece has %d samples in %d windows", len(p.samples), len(p.prob))
			}
			for w := range p.prob {
				if p.samples[w*vad.WindowSamples] != float32(first+w) || p.prob[w] != sound[first+w] {
					t.Fatalf("window %d of a piece at %d is another's", w, first)
				}
			}
			end = first + len(p.prob)
			for _, s := range p.speech {
				for w := s.from; w < s.to; w++ {
					heard[first+w]++
				}
			}
		}
		run := 0
		for w, p := range sound {
			if p < c.on {
				run = 0
				continue
			}
			if run++; run > c.minSpeech && heard[w] != 1 {
				t.Fatalf("window %d of speech is in %d pieces", w, heard[w])
			}
		}
	}
}

func TestSegmenterForgets(t *testing.T) {
	s := newSegmenter(pausesOfSpeech)
	window := make([]float32, vad.WindowSamples)
	for i := range 20_000 {
		p := float32(0.9)
		if i%7000 > 5000 {
			p = 0
		}
		s.push(window, p)
		if held := len(s.samples) / vad.WindowSamples; held > s.cut.most+2*s.cut.pad+64 {
			t.Fatalf("after %d windows it holds %d", i, held)
		}
	}
}

func TestHalve(t *testing.T) {
	prob := concat(stretch(60, 0.9), stretch(6, 0), stretch(40, 0.9))
	p := piece{at: 1024, prob: prob, samples: make([]float32, len(prob)*vad.WindowSamples), speech: []span{{2, 60}, {66, 104}}, pause: 9}
	a, b := p.halve()
	if len(a.samples)+len(b.samples) != len(p.samples) || b.at != a.at+int64(len(a.samples)) {
		t.Errorf("halves of %d and %d samples at %d and %d", len(a.samples), len(b.samples), a.at, b.at)
	}
	if n := len(a.prob); n < 58 || n > 68 {
		t.Errorf("cut at window %d, want in the pause at 60", n)
	}
	if a.pause != 9 || b.pause != 0 || a.speechWindows()+b.speechWindows() != p.speechWindows() {
		t.Errorf("halves %+v and %+v", a.speech, b.speech)
	}
}

// TestSegmenterPeeks compares what it shows at any time with what it would
// give if the clip ended then.
func TestSegmenterPeeks(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	s := newSegmenter(pausesOfSpeech)
	for range 60 {
		level := random.Float32()
		if random.IntN(2) == 0 {
			level /= 6
		}
		for range random.IntN(40) {
			s.push(make([]float32, vad.WindowSamples), level)
		}
		shown, open := s.peek()
		ended := *s
		ended.runs, ended.ready = slices.Clone(s.runs), nil
		pieces := ended.flush()
		if open != (len(pieces) == 1) {
			t.Fatalf("open is %v, and %d pieces follow", open, len(pieces))
		}
		if !open {
			continue
		}
		p := pieces[0]
		if shown.at != p.at || shown.pause != p.pause || len(shown.samples) != len(p.samples) || !slices.Equal(shown.speech, p.speech) {
			t.Fatalf("shows %d samples from %d with %v, and gives %d from %d with %v",
				len(shown.samples), shown.at, shown.speech, len(p.samples), p.at, p.speech)
		}
	}
}
