package openai

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"hark/media"
	"hark/transcribe"
)

const (
	bytesPerSample = 2

	frame       = media.SampleRate / 50 // samples whose energy is taken together: 20 ms
	cutFrames   = 10                    // frames that must be quiet together where we cut: 200 ms
	maxSearch   = 30 * media.SampleRate // how far before the end of a chunk we look for quiet
	silentLevel = 1.0 / 2048            // RMS of a frame in which nobody can be heard: -66 dBFS

	// shortest is the least sound that servers accept; nobody says a word in less.
	shortest = media.SampleRate / 10
)

// chunk is a stretch of the clip, as it is sent.
type chunk struct {
	start int64  // its first sample in the clip
	pcm   []byte // 16-bit little-endian samples
}

func (c chunk) startMS() int64 { return toMS(c.start) }

// lengthMS is the length such that chunks lie back to back in whole milliseconds.
func (c chunk) lengthMS() int64 { return toMS(c.start+int64(len(c.pcm)/bytesPerSample)) - c.startMS() }

func toMS(samples int64) int64 { return samples * 1000 / media.SampleRate }

// isSilent reports whether there is nothing in the chunk that a recogniser
// could hear; asked all the same, many invent something.
func (c chunk) isSilent() bool {
	if len(c.pcm) < shortest*bytesPerSample {
		return true
	}
	for pcm := c.pcm; len(pcm) > 0; {
		n := min(len(pcm), frame*bytesPerSample)
		if math.Sqrt(energy(pcm[:n])/float64(n/bytesPerSample)) >= silentLevel {
			return false
		}
		pcm = pcm[n:]
	}
	return true
}

// cutter reads sound and cuts it into chunks.
type cutter struct {
	src   transcribe.Source
	max   func() int // samples in the next chunk
	start int64      // first sample of pcm in the clip
	pcm   []byte     // what is read and not yet handed out
	buf   []float32
}

func newCutter(src transcribe.Source, maxSamples func() int) *cutter {
	return &cutter{src: src, max: maxSamples, buf: make([]float32, 4096)}
}

// next returns the next chunk, or io.EOF after the last. It is as long as may
// be, less what lies behind the quietest place near its end.
func (c *cutter) next() (chunk, error) {
	size := c.max() * bytesPerSample
	ended, err := c.fill(size)
	if err != nil {
		return chunk{}, err
	}
	if len(c.pcm) == 0 {
		return chunk{}, io.EOF
	}
	at := len(c.pcm)
	if !ended {
		at = quietest(c.pcm[:size])
	}
	out := chunk{start: c.start, pcm: c.pcm[:at:at]}
	c.start += int64(at / bytesPerSample)
	c.pcm = append([]byte(nil), c.pcm[at:]...) // a copy: the chunk is on its way
	return out, nil
}

// fill reads until there are size bytes or no more come.
func (c *cutter) fill(size int) (ended bool, err error) {
	for len(c.pcm) < size {
		want := min(len(c.buf), (size-len(c.pcm))/bytesPerSample)
		n, err := c.src.ReadSamples(c.buf[:want])
		for _, x := range c.buf[:n] {
			c.pcm = binary.LittleEndian.AppendUint16(c.pcm, uint16(toS16(x)))
		}
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, err
		case n == 0:
			return false, fmt.Errorf("source gave no samples and no error: %w", io.ErrNoProgress)
		}
	}
	return false, nil
}

// quietest returns the place, in bytes, in the middle of the quietest stretch
// of the last quarter of pcm, or of its last half minute if that is less. Of
// equally quiet ones it is the last.
func quietest(pcm []byte) int {
	samples := len(pcm) / bytesPerSample
	first := samples - min(samples/4, maxSearch)
	var window [cutFrames]float64 // energies of the frames up to the current one
	var sum, least float64 = 0, math.Inf(1)
	at := samples
	for i := 0; first+(i+1)*frame <= samples; i++ {
		from := (first + i*frame) * bytesPerSample
		e := energy(pcm[from : from+frame*bytesPerSample])
		sum += e - window[i%cutFrames]
		window[i%cutFrames] = e
		if i >= cutFrames-1 && sum <= least {
			least, at = sum, first+(i+1-cutFrames/2)*frame
		}
	}
	return at * bytesPerSample
}

// energy is the sum of the squares of samples, in -1..1.
func energy(pcm []byte) float64 {
	var sum float64
	for i := 0; i+1 < len(pcm); i += bytesPerSample {
		x := float64(int16(binary.LittleEndian.Uint16(pcm[i:]))) / 32768
		sum += x * x
	}
	return sum
}

// toS16 converts a sample, clamping; what is not a number becomes silence.
func toS16(x float32) int16 {
	if x != x {
		return 0
	}
	return int16(math.Round(max(-32768, min(32767, float64(x)*32768))))
}
