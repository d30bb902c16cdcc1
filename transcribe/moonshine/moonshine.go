// Package moonshine runs the Moonshine speech model directly on ONNX Runtime.
// It gives what a ready-made recogniser does not: the time and the confidence
// of every word, and an end to text that repeats itself.
//
// # How sound becomes words
//
// [Load] opens three ONNX Runtime sessions: the encoder, and the decoder in
// two parts (surgery.go says why). [Model.Recognise] takes one stretch of
// speech through them:
//
//   - encoder.go turns samples into frames of 24 ms;
//   - decode.go says the likeliest token after another, or all at once where
//     it has a draft of what they will be, until the model says that it is done, begins to repeat itself (loop.go) or says more than can
//     be spoken in that time; decoder.go and head.go are one such step;
//   - words.go joins tokens to words, with their probability;
//   - align.go finds when each was said. While the decoder says a token, its
//     cross-attention lies on the frames that it hears it in. That is kept as
//     it goes, so that times cost no second pass; dynamic time warping makes
//     one way through the sound of it, and pauses.go moves the bounds of words
//     to those of the pauses.
//
// # Limits
//
// The model was made for speech of up to half a minute and is best below ten
// seconds; longer sound must be cut where people pause. It hears one language.
// Of noise and silence it mostly makes nothing, and sometimes a sentence;
// [Result.AvgLogProb] tells those apart.
//
// Word times are those of the model: against forced alignment of 134 clips
// (1,240 words) the base model's starts are 28 ms off in the median and 84 ms
// at the 90th percentile, its ends 28 and 78.
//
// ONNX Runtime is the shared library that comes with sherpa-onnx; where the
// program is linked with that, the copy that the process has loaded is taken.
package moonshine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"

	"hark/media"
	"hark/media/transcript"
	"hark/transcribe/internal/onnx"
)

// ErrClosed is what a model answers after Close.
var ErrClosed = errors.New("model is closed")

// Config says where a model lies and how to run it.
type Config struct {
	Encoder string // path of encoder_model.onnx
	Decoder string // path of decoder_model_merged.onnx
	Tokens  string // path of the vocabulary: lines of "BASE64(token) ID"
	Threads int    // that one call of Recognise computes with; 0 means 1
	Haste   int    // threads of the encoder in a call that is in a hurry; 0 means as many as of any other
	Library string // path of ONNX Runtime's shared library; empty means the one this process has loaded
}

// Model is a Moonshine model in memory. It is safe for concurrent use: calls
// share the weights, and each computes on its caller's thread.
type Model struct {
	encoder *encoder
	hurried *encoder // for who is in a hurry; the same where there is nothing to gain
	decoder *decoder
	vocab   vocabulary

	closing sync.RWMutex // held for reading by every call that computes
	closed  bool
}

// Load reads a model into memory. For the base model it takes about a second
// and 300 MB, of which 190 MB stay; every call of Recognise at the same time
// adds about 60 MB for sound of up to ten seconds, which stay as well.
func Load(cfg Config) (*Model, error) {
	if cfg.Threads < 0 || cfg.Haste < 0 {
		return nil, fmt.Errorf("moonshine: threads is %d and %d in haste, want 0 or more", cfg.Threads, cfg.Haste)
	}
	threads := max(cfg.Threads, 1)
	for _, file := range []struct{ what, path string }{
		{"encoder", cfg.Encoder}, {"decoder", cfg.Decoder}, {"vocabulary", cfg.Tokens},
	} {
		if _, err := os.Stat(file.path); err != nil {
			return nil, fmt.Errorf("moonshine: %s is not there (fetch the model with `hark models fetch`): %w", file.what, err)
		}
	}
	m := &Model{}
	var err error
	if m.vocab, err = readVocabulary(cfg.Tokens); err != nil {
		return nil, fmt.Errorf("moonshine: %w", err)
	}
	if err := onnx.OpenRuntime(cfg.Library); err != nil {
		return nil, fmt.Errorf("moonshine: %w", err)
	}
	if err := m.open(cfg, threads); err != nil {
		return nil, errors.Join(fmt.Errorf("moonshine: %w", err), m.Close())
	}
	if m.decoder.shape.vocab != len(m.vocab) {
		return nil, errors.Join(fmt.Errorf("moonshine: vocabulary %s has %d tokens, the decoder %d: they belong to different models",
			cfg.Tokens, len(m.vocab), m.decoder.shape.vocab), m.Close())
	}
	// What was read of the files is garbage by now, 100 MB of it, and would
	// stay for long: nothing else allocates enough for a collection soon.
	debug.FreeOSMemory()
	return m, nil
}

// open loads the parts. What it has loaded when it fails is closed by Close.
func (m *Model) open(cfg Config, threads int) (err error) {
	if m.encoder, err = openEncoder(cfg.Encoder, threads); err != nil {
		return err
	}
	m.hurried = m.encoder
	if cfg.Haste > threads {
		if m.hurried, err = openEncoder(cfg.Encoder, cfg.Haste); err != nil {
			return err
		}
	}
	m.decoder, err = openDecoder(cfg.Decoder, threads)
	return err
}

// Close frees the model once the calls under way are done. Closing twice is harmless.
func (m *Model) Close() error {
	m.closing.Lock()
	defer m.closing.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	var err error
	if m.hurried != m.encoder {
		err = m.hurried.close()
	}
	return errors.Join(err, m.encoder.close(), m.decoder.close())
}

const (
	sampleRate = media.SampleRate // that the model hears, in Hz

	// minSamples is the least sound the encoder is given; shorter sound is
	// followed by silence. Its convolutions need more than a frame.
	minSamples = sampleRate / 2

	// maxSamples is a minute. The model is of no use beyond half of that, and
	// the encoder's memory grows with the square of the length.
	maxSamples = sampleRate * 60
)

// Recognise hears what is said in mono samples of 16 kHz (media.SampleRate),
// in -1..1, at most a minute of them. Words come in order, inside the
// sound. Sound in which the model hears nothing gives no words and no error.
//
// When ctx ends, so does the call, within the 10 ms that a step of the decoder
// takes.
func (m *Model) Recognise(ctx context.Context, samples []float32) (Result, error) {
	return m.RecogniseWith(ctx, samples, Hints{})
}

// Hints say what is known beforehand. The zero value is that nothing is.
// Draft and Hurry make a call quicker, and the same is heard.
type Hints struct {
	// Draft are the Tokens of a Result for the beginning of the same sound,
	// from when there was less of it. The more of it still holds, the better.
	Draft []int

	// Hurry has the encoder use all of Config.Haste, for who waits for nothing
	// else: it takes less time, but more work, than without.
	Hurry bool

	// Insist is for sound in which somebody surely speaks: the model does not
	// end before it has said so many tokens. Where it would, it says what it
	// holds likeliest but for the end. To insist on more than a token after
	// those it said by itself makes it invent.
	Insist int
}

// RecogniseWith is Recognise with hints.
func (m *Model) RecogniseWith(ctx context.Context, samples []float32, hints Hints) (Result, error) {
	m.closing.RLock()
	defer m.closing.RUnlock()
	if m.closed {
		return Result{}, fmt.Errorf("moonshine: %w", ErrClosed)
	}
	if len(samples) == 0 {
		return Result{}, nil
	}
	if len(samples) > maxSamples {
		return Result{}, fmt.Errorf("moonshine: sound of %d s is too long, want at most %d s", len(samples)/sampleRate, maxSamples/sampleRate)
	}
	padded := samples
	if len(padded) < minSamples {
		padded = append(make([]float32, 0, minSamples), samples...)[:minSamples]
	}
	spoken, err := m.decode(ctx, padded, hints)
	if err != nil {
		return Result{}, fmt.Errorf("moonshine: %w", err)
	}
	return m.result(spoken, samples), nil
}

// Result is what was heard in one stretch of sound.
type Result struct {
	Words []transcript.Word // in order; times from the start of the sound, with confidence

	// Tokens are what the model said, as a draft for more of the sound.
	Tokens []int

	// Looped says that the model began to repeat itself and was stopped; the
	// words end before the repetition. Smaller pieces of the sound may go better.
	Looped bool

	// Truncated says that the model said more tokens than anyone can speak in
	// that time and was stopped.
	Truncated bool

	// Insisted says that the model would have ended earlier without Hints.Insist.
	Insisted bool

	// AvgLogProb is the mean natural logarithm of the probability of what was
	// said, token by token: near 0 for clear speech, below about -1 for words
	// invented on noise. 0 when nothing was said.
	AvgLogProb float64
}
