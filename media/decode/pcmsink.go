package decode

import (
	"context"
	"io"
	"time"

	"hark/media"
)

// blockSamples is the most that the sink gets at a time.
const blockSamples = 8192

// maxDesigns is how many designs of resamplers are kept.
const maxDesigns = 16

// loudest bounds samples: what lies beyond is noise in a float file, and
// infinities would spread through the resampler.
const loudest = 16

// Sink takes blocks of sound at [media.SampleRate], which are its own until it
// returns. While the sound has one channel, or two that are the same, right is
// nil; from the first sample at which two channels differ it is as long as left.
type Sink func(left, right []float32) error

// Mono is a sink for who wants one channel: the plain average, in which two
// channels may take each other away (see media.Mix).
func Mono(sink func([]float32) error) Sink {
	var mono []float32
	return func(left, right []float32) error {
		if right == nil {
			return sink(left)
		}
		mono = mono[:0]
		for i, x := range left {
			mono = append(mono, (x+right[i])/2)
		}
		return sink(mono)
	}
}

// pcmSink is where all decoders write: it folds channels into two, resamples to
// [media.SampleRate], gathers blocks, counts and calls the sink. Its first
// error is final and kept in failed, to distinguish it from a decoder's.
type pcmSink struct {
	ctx  context.Context // of the one Decode call that the pcmSink lives in
	sink Sink
	max  int64 // samples; 0 means no limit
	over time.Duration

	rate    int                // Hz of what is written; 0 before start
	designs map[int]*resampler // by the rate they take
	sides   [2]*side
	wide    bool // the two sides have differed; until then only the first is worked on

	began time.Duration // where in the sound the present rate began
	lost  losses

	samples int64 // given to the sink
	inSink  bool
	failed  error
}

func newPCMSink(ctx context.Context, longest time.Duration, sink Sink) *pcmSink {
	return &pcmSink{
		ctx: ctx, sink: sink, max: media.Samples(longest), over: longest,
		designs: map[int]*resampler{},
		sides:   [2]*side{newSide(), newSide()},
	}
}

// start says at which rate in Hz the following samples come. It must be called
// before write; after it, it ends the sound at the rate before.
func (f *pcmSink) start(rate int) {
	f.flush()
	f.began = f.now()
	f.rate = rate
	f.sides[0].start(f.resampler(rate))
	f.sides[1].start(f.resampler(rate))
}

// resampler returns a resampler from a rate to be copied; nil where none is
// needed. Their filters take milliseconds to design, and files may be joined of
// thousands of parts.
func (f *pcmSink) resampler(rate int) *resampler {
	if rate == media.SampleRate {
		return nil
	}
	r, ok := f.designs[rate]
	if !ok {
		r = newResampler(rate, media.SampleRate, nil)
		if len(f.designs) == maxDesigns {
			clear(f.designs)
		}
		f.designs[rate] = r
	}
	return r
}

// write takes interleaved samples of whole frames.
func (f *pcmSink) write(p []float32, channels int) error {
	for len(p) > 0 && f.failed == nil {
		if f.ctx.Err() != nil {
			f.failed = context.Cause(f.ctx)
			break
		}
		frames := min(len(p)/channels, blockSamples)
		if frames == 0 {
			break
		}
		same := fold(p[:frames*channels], channels, f.sides[0], f.sides[1])
		p = p[frames*channels:]
		if !same && !f.wide {
			f.wide = true
			f.sides[1].become(f.sides[0])
		}
		f.sides[0].resample()
		if f.wide {
			f.sides[1].resample()
		}
		f.gather()
	}
	return f.failed
}

// gather gives the sink what makes whole blocks.
func (f *pcmSink) gather() {
	for len(f.sides[0].out) >= blockSamples && f.failed == nil {
		f.emit(blockSamples)
	}
}

// emit gives n samples to the sink, up to the limit.
func (f *pcmSink) emit(n int) {
	over := false
	if f.max > 0 && f.samples+int64(n) > f.max {
		n, over = int(f.max-f.samples), true
	}
	if n > 0 {
		left, right := f.sides[0].out[:n], []float32(nil)
		if f.wide {
			right = f.sides[1].out[:n]
		}
		f.inSink = true
		f.failed = f.sink(left, right)
		f.inSink = false
		f.samples += int64(n)
	}
	f.sides[0].drop(n)
	f.sides[1].drop(n)
	if over && f.failed == nil {
		f.failed = media.RefuseTooLong(f.over)
	}
}

// flush ends the sound at the present rate.
func (f *pcmSink) flush() {
	if f.failed != nil {
		return
	}
	f.sides[0].flush()
	if f.wide {
		f.sides[1].flush()
	}
	f.gather()
}

// finish flushes what is held back: the end of the sound.
func (f *pcmSink) finish() error {
	f.flush()
	if f.failed == nil {
		f.emit(len(f.sides[0].out))
	}
	return f.failed
}

// reset forgets what was written, for another decoder to try. Only a pcmSink
// that has given nothing to the sink can be reset.
func (f *pcmSink) reset() {
	f.rate, f.wide, f.sides = 0, false, [2]*side{newSide(), newSide()}
	f.began, f.lost = 0, losses{}
}

// reader returns r, ended by the pcmSink's context, so that a decoder that only
// searches notices too.
func (f *pcmSink) reader(r io.Reader) io.Reader { return &contextReader{f, r} }

type contextReader struct {
	f *pcmSink
	r io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if r.f.ctx.Err() != nil {
		r.f.failed = context.Cause(r.f.ctx)
		return 0, r.f.failed
	}
	return r.r.Read(p)
}
