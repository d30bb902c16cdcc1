package local

import (
	"math"
	"slices"
	"strings"
	"testing"

	"hark/media"
	"hark/media/transcript"
	"hark/transcribe"
	"hark/transcribe/internal/speechtest"
	"hark/transcribe/wer"
)

// stereo returns two channels in a spool, the shorter filled up with silence.
func stereo(t testing.TB, left, right []float32) *media.Spool {
	t.Helper()
	spool, err := media.NewSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = spool.Close() })
	n := max(len(left), len(right))
	if err := spool.Write(mixed(n, part{left, 0}), mixed(n, part{right, 0})); err != nil {
		t.Fatal(err)
	}
	if err := spool.CloseWrite(nil); err != nil {
		t.Fatal(err)
	}
	return spool
}

// mixed adds up sounds of n samples, each so many decibels louder than it is.
func mixed(n int, parts ...part) []float32 {
	sum := make([]float32, n)
	for _, p := range parts {
		gain := float32(math.Pow(10, p.louder/20))
		for i, x := range p.sound[:min(n, len(p.sound))] {
			sum[i] += gain * x
		}
	}
	return sum
}

type part struct {
	sound  []float32
	louder float64 // in decibels
}

// late is a sound that begins so many samples later.
func late(samples []float32, n int) []float32 {
	return append(make([]float32, n), samples...)
}

// channelText is what was said in one channel.
func channelText(t *transcript.Transcript, channel int) string {
	var texts []string
	for _, s := range t.Segments {
		if s.Channel == channel {
			texts = append(texts, s.Text)
		}
	}
	return strings.Join(texts, " ")
}

func TestChannelsAreHeardApart(t *testing.T) {
	const one, two = "demo-echotest", "conf-usermenu-162"
	a, b := speechtest.Prompt(t, one), speechtest.Prompt(t, two)
	n := max(len(a), len(b))
	hiss := make([]float32, n)
	for i := range hiss {
		hiss[i] = float32((i*7919)%1000-500) / 500 / 2000
	}
	for _, c := range []struct {
		name        string
		left, right []float32
	}{
		{"at once, one faint", mixed(len(a), part{a, -26}), b},
		{"at once, leaking across a room", mixed(n, part{a, 0}, part{late(b, 60), -14}, part{hiss, 0}), mixed(n, part{b, 0}, part{late(a, 60), -14}, part{hiss, 0})},
		{"in turn, and a late echo", mixed(len(a)+len(b), part{a, 0}, part{late(b, len(a)+8000), -15}, part{hiss, 0}), mixed(len(a)+len(b), part{late(a, 8000), -15}, part{late(b, len(a)), 0}, part{hiss, 0})},
	} {
		c.left, c.right = append(slices.Clone(hiss[:sampleRate]), c.left...), append(slices.Clone(hiss[:sampleRate]), c.right...)
		t.Run(c.name, func(t *testing.T) {
			// They begin with a second in which both channels are the same.
			spool := stereo(t, c.left, c.right)
			told := int64(-1)
			got, err := engine(t).Transcribe(t.Context(), spool.NewReader(t.Context()), transcribe.Options{Progress: func(ms int64) {
				if ms < told {
					t.Errorf("progress went back from %d to %d", told, ms)
				}
				told = ms
			}})
			if err != nil {
				t.Fatal(err)
			}
			for i, words := range []string{prompts[one], prompts[two]} {
				text := channelText(got, i+1)
				score := wer.Score(words, text)
				if score.Rate() > 0.1 {
					t.Errorf("channel %d has a word error rate of %.2f: %s", i+1, score.Rate(), text)
				}
			}
			last := int64(0)
			for _, s := range got.Segments {
				if s.StartMS < last {
					t.Errorf("segment at %d after one at %d", s.StartMS, last)
				}
				last = s.StartMS
			}
		})
	}
}

// TestChannelsAreHeardTogether is about two channels of one speaker.
func TestChannelsAreHeardTogether(t *testing.T) {
	const name = "vm-goodbye"
	a := speechtest.Prompt(t, name)
	inverted := make([]float32, len(a))
	for i, x := range a {
		inverted[i] = -x
	}
	for _, c := range []struct {
		name  string
		right []float32
	}{
		{"the same", a},
		{"inverted", inverted},
		{"dead", nil},
		{"late", late(a, 100)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := engine(t).Transcribe(t.Context(), stereo(t, a, c.right).NewReader(t.Context()), transcribe.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if score := wer.Score(prompts[name], channelText(got, 0)); score.Errors() > 0 || len(got.Segments) != 1 {
				t.Errorf("%+v", got.Segments)
			}
		})
	}
}

// TestAdvanceNeverGoesBack is about channels that begin again when they turn
// out to be apart, and that end at different times.
func TestAdvanceNeverGoesBack(t *testing.T) {
	var told []int64
	a := advance{report: func(ms int64) { told = append(told, ms) }}
	a.say(4000)
	a.channel(0, 9000)
	a.channel(1, 3000)
	a.channel(1, 5000)
	a.channel(0, math.MaxInt64)
	a.channel(1, 12000)
	a.channel(1, math.MaxInt64)
	if want := []int64{4000, 5000, 12000}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}
