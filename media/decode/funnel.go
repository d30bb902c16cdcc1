package decode

import (
	"context"
	"io"
	"time"

	"hark/media"
)

// blockSamples is the most that the sink gets at a time.
const blockSamples = 8192

// loudest bounds samples: what lies beyond is noise in a float file, and
// infinities would spread through the resampler.
const loudest = 16

// funnel is where all decoders write: it mixes to mono, resamples to
// [media.SampleRate], gathers blocks, counts and calls the sink. Its first
// error is final and kept in failed, so that it can be told from a decoder's.
type funnel struct {
	ctx  context.Context // of the one Decode call that the funnel lives in
	sink func([]float32) error
	max  int64 // samples; 0 means no limit
	over time.Duration

	rate      int // Hz of what is written; 0 before start
	resampler *resampler
	mono      []float32
	block     []float32

	samples int64 // given to the sink
	inSink  bool
	failed  error
}

func newFunnel(ctx context.Context, longest time.Duration, sink func([]float32) error) *funnel {
	return &funnel{
		ctx: ctx, sink: sink, max: media.Samples(longest), over: longest,
		mono: make([]float32, 0, blockSamples), block: make([]float32, 0, blockSamples),
	}
}

// start says at which rate in Hz the following samples come. It must be called
// before write, and once.
func (f *funnel) start(rate int) {
	f.rate = rate
	if rate != media.SampleRate {
		f.resampler = newResampler(rate, media.SampleRate, f.gather)
	}
}

// write takes interleaved samples of whole frames.
func (f *funnel) write(p []float32, channels int) error {
	for len(p) > 0 && f.failed == nil {
		if f.ctx.Err() != nil {
			f.failed = context.Cause(f.ctx)
			break
		}
		frames := min(len(p)/channels, blockSamples)
		if frames == 0 {
			break
		}
		f.mix(p[:frames*channels], channels)
		p = p[frames*channels:]
		if f.resampler != nil {
			f.resampler.write(f.mono)
		} else {
			f.gather(f.mono)
		}
	}
	return f.failed
}

// mix averages the channels of p into f.mono.
func (f *funnel) mix(p []float32, channels int) {
	f.mono = f.mono[:0]
	scale := 1 / float32(channels)
	for ; len(p) >= channels; p = p[channels:] {
		var sum float32
		for _, x := range p[:channels] {
			sum += x
		}
		sum *= scale
		if !(sum >= -loudest && sum <= loudest) {
			sum = tame(sum)
		}
		f.mono = append(f.mono, sum)
	}
}

// tame clamps, and makes silence of what is not a number.
func tame(x float32) float32 {
	if x != x {
		return 0
	}
	return max(-loudest, min(loudest, x))
}

// gather collects samples at the final rate into blocks.
func (f *funnel) gather(p []float32) {
	for len(p) > 0 && f.failed == nil {
		n := min(len(p), cap(f.block)-len(f.block))
		f.block = append(f.block, p[:n]...)
		p = p[n:]
		if len(f.block) == cap(f.block) {
			f.emit()
		}
	}
}

// emit gives the block to the sink, up to the limit.
func (f *funnel) emit() {
	over := false
	if f.max > 0 && f.samples+int64(len(f.block)) > f.max {
		f.block, over = f.block[:f.max-f.samples], true
	}
	if len(f.block) > 0 {
		f.inSink = true
		f.failed = f.sink(f.block)
		f.inSink = false
		f.samples += int64(len(f.block))
	}
	f.block = f.block[:0]
	if over && f.failed == nil {
		f.failed = media.RefuseTooLong(f.over)
	}
}

// finish flushes what is held back: the end of the sound.
func (f *funnel) finish() error {
	if f.failed == nil && f.resampler != nil {
		f.resampler.flush()
	}
	if f.failed == nil {
		f.emit()
	}
	return f.failed
}

// reset forgets what was written, for another decoder to try. Only a funnel
// that has given nothing to the sink can be reset.
func (f *funnel) reset() {
	f.rate, f.resampler, f.block = 0, nil, f.block[:0]
}

// reader returns r, ended by the funnel's context, so that a decoder that only
// searches notices too.
func (f *funnel) reader(r io.Reader) io.Reader { return &contextReader{f, r} }

type contextReader struct {
	f *funnel
	r io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if r.f.ctx.Err() != nil {
		r.f.failed = context.Cause(r.f.ctx)
		return 0, r.f.failed
	}
	return r.r.Read(p)
}
