package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os/exec"
	"slices"
	"time"

	"hark/media"
)

// variant is a clip as it might as well have been recorded: begun a little
// sooner or later, nearer to the microphone or further, in another bit rate.
type variant struct {
	clip    string // the clip's file, without its folder
	number  int    // from 1
	start   time.Duration
	quiet   bool // what is added at the start is silence, and not the clip's own quiet
	gainDB  float64
	bitrate int // kbit/s
}

// The widest that a variant is off.
const (
	variantStart   = 500 * time.Millisecond
	variantGainDB  = 6
	lowestBitrate  = 24
	highestBitrate = 40
)

// newVariant makes the variant of that number of a clip: the same one for the
// same seed, whichever others are made.
func newVariant(clip string, number int, seed uint64) variant {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s:%d", clip, number) // a hash takes all
	rng := rand.New(rand.NewPCG(seed, h.Sum64()))
	return variant{
		clip: clip, number: number,
		start:   time.Duration((2*rng.Float64() - 1) * float64(variantStart)).Round(time.Millisecond),
		quiet:   rng.IntN(2) == 0,
		gainDB:  math.Round(10*variantGainDB*(2*rng.Float64()-1)) / 10,
		bitrate: lowestBitrate + rng.IntN(highestBitrate-lowestBitrate+1),
	}
}

// name is what --only takes.
func (v variant) name() string { return fmt.Sprintf("%s:%d", v.clip, v.number) }

func (v variant) String() string {
	return fmt.Sprintf("%s (start %+d ms, gain %+.1f dB, %d kbit/s)", v.name(), v.start.Milliseconds(), v.gainDB, v.bitrate)
}

// apply makes the variant's sound of the clip's: mono, 16 kHz. What is cut is
// never of the first word.
func (v variant) apply(pcm []float32) []float32 {
	n := int(media.Samples(v.start.Abs()))
	var sound []float32
	switch {
	case v.start < 0:
		sound = slices.Clone(pcm[min(n, beforeSpeech(pcm)):])
	case v.quiet:
		sound = slices.Concat(make([]float32, n), pcm)
	default:
		sound = slices.Concat(room(pcm, n), pcm)
	}
	gain := float32(math.Pow(10, v.gainDB/20))
	for i, s := range sound {
		sound[i] = max(-1, min(1, gain*s))
	}
	return sound
}

const (
	levelFrame   = media.SampleRate / 100     // samples of which one level is taken
	beforeOnset  = media.SampleRate * 3 / 100 // samples kept before the first word
	belowLoudest = 100                        // how many times weaker than the loudest frame sound may be to be counted as silence (40 dB)
	aboveQuiet   = 3                          // how many times stronger than its quietest tenth a clip must be to be counted as sound
	onsetFrames  = 3                          // in a row that make an onset
)

// levels are the root mean squares of a clip's frames.
func levels(pcm []float32) []float64 {
	all := make([]float64, 0, len(pcm)/levelFrame)
	for frame := range slices.Chunk(pcm, levelFrame) {
		if len(frame) < levelFrame {
			break
		}
		sum := 0.0
		for _, s := range frame {
			sum += float64(s) * float64(s)
		}
		all = append(all, math.Sqrt(sum/levelFrame))
	}
	return all
}

// beforeSpeech is how many samples of a clip are surely before its first sound.
func beforeSpeech(pcm []float32) int {
	all := levels(pcm)
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	least := max(sorted[len(sorted)-1]/belowLoudest, min(sorted[len(sorted)/10]*aboveQuiet, sorted[len(sorted)/2]))
	loud := 0
	for i, level := range all {
		if loud++; level < least {
			loud = 0
		}
		if loud == onsetFrames {
			return max(0, (i+1-onsetFrames)*levelFrame-beforeOnset)
		}
	}
	return 0
}

// room is n samples of the quietest fifth of a second of a clip, to and fro,
// so that no click is heard where it begins again.
func room(pcm []float32, n int) []float32 {
	const frames = 20
	all := levels(pcm)
	if len(all) < frames {
		return make([]float32, n)
	}
	at, least := 0, math.Inf(1)
	for i := range len(all) - frames + 1 {
		if loudest := slices.Max(all[i : i+frames]); loudest < least {
			at, least = i, loudest
		}
	}
	quiet := pcm[at*levelFrame : (at+frames)*levelFrame]
	period := 2 * len(quiet)
	out := make([]float32, n)
	for i := range out {
		back := (n - 1 - i) % period // the end of it is the beginning of quiet
		out[i] = quiet[min(back, period-1-back)]
	}
	return out
}

// encode writes the variant's sound as Ogg/Opus.
func (v variant) encode(ctx context.Context, ffmpeg string, pcm []float32, file string) error {
	cmd := exec.CommandContext(ctx, ffmpeg, "-nostdin", "-v", "error", "-y", "-f", "f32le", "-ar", fmt.Sprint(media.SampleRate), "-ac", "1", "-i", "pipe:0",
		"-c:a", "libopus", "-application", "voip", "-b:a", fmt.Sprintf("%dk", v.bitrate), file)
	var in bytes.Buffer
	if err := binary.Write(&in, binary.LittleEndian, pcm); err != nil {
		return err
	}
	cmd.Stdin = &in
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("encode %s: %w: %s", v, err, out)
	}
	return nil
}
