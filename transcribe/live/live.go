// Package live transcribes recordings while they are made.
//
// An [Engine] listens to many recordings at once. Each has a [Listener], which
// takes Opus packets as they come, and a goroutine that turns them into sound
// (package media/opus: what the network lost is recovered or made up), measures
// its loudness and its waveform, and gives it to the recogniser (a
// [transcribe.LiveEngine]), which cuts it at the pauses of speech exactly as it
// cuts a clip.
// It makes [Caption]s: a new one of the current segment a few times a second, and
// a final one when the segment is finished. The final ones together are the
// transcript, which is therefore there when the speaker stops.
//
// # When there is too much to do
//
// Recording never waits for anything here: [Listener.Write] copies a packet and
// returns. The recogniser does finished segments first; partial captions take
// turns with the clips of others, the rarer the more they cost and the more
// people speak. A listener that falls behind by more than a minute of packets,
// or six finished segments, drops what comes; what it has then is poorer than
// what can be had, which [Result] says, so that the clip is transcribed again at
// leisure. And an engine takes at most [Config.MaxSpeakers] listeners: decoding
// hundreds of recordings, only to fall behind in all of them, would cost those
// who record and those who read along. The others are transcribed afterwards.
//
// Measured on two cores with Moonshine base and clips of readers (go test
// -bench Captions): from the end of a word to a caption that shows it 304 ms in
// the median with two speakers, 542 with four; from the last packet to the
// result 396 and 383 ms at the 95th percentile, when nobody pauses before the
// end, and nothing worth mention when they do; 0.2 points more word errors than
// when the clip is transcribed as such (one word of 476).
//
// # Memory
//
// A listener holds at most a minute of packets and half a minute of sound that
// waits, about 4 MB, in practice less than 1 MB, and 100 kB for the waveform;
// beyond that only the words, however long it is spoken.
package live

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"

	"hark/media/opus"
	"hark/media/transcript"
	"hark/transcribe"
)

// ErrClosed is what Listen answers after Close.
var ErrClosed = errors.New("live transcription is closed")

// ErrBusy is what Listen answers when there are Config.MaxSpeakers listeners.
var ErrBusy = errors.New("too many live recordings to transcribe at once")

// speakersPerCore is how many people at once one core can listen to: finished
// segments alone take about a tenth of a core for each.
const speakersPerCore = 4

// Config says what to listen with.
type Config struct {
	Engine      transcribe.LiveEngine // stays the caller's, and is closed after Close
	MaxSpeakers int                   // listeners at a time; 0 means 4 for each core
	Logger      *slog.Logger          // nil means slog.Default()
}

// Engine listens to recordings while they are made. It is safe for concurrent use.
type Engine struct {
	recogniser transcribe.LiveEngine
	most       int
	log        *slog.Logger

	mu        sync.Mutex
	closed    bool
	listeners map[*Listener]bool
}

// New makes an engine.
func New(cfg Config) *Engine {
	if cfg.MaxSpeakers <= 0 {
		cfg.MaxSpeakers = speakersPerCore * runtime.GOMAXPROCS(0)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Engine{recogniser: cfg.Engine, most: cfg.MaxSpeakers, log: cfg.Logger, listeners: map[*Listener]bool{}}
}

// Options says how to listen to one recording. The zero value is a sensible default.
type Options struct {
	Language string // BCP 47 hint; empty means the engine's own choice

	// Captions, when not nil, gets each caption. Calls come one at a time, from
	// the listener's goroutine, and all before Finish returns; recognising waits
	// for each, so it must not block.
	Captions func(Caption)
}

// Caption is what was said in one segment, as far as it has been said.
//
// Segments are numbered from 0 in the order in which they begin, and follow
// the sound: one lasts until a pause, at most ten seconds. A caption replaces
// the one before it of the same segment. After the final one there are no
// partials, and its words stay; but when the next segment goes on with its
// sentence the final one may come once more without its full stop. A segment
// may turn out to have no words.
type Caption struct {
	Segment int               `json:"segment" doc:"number of the segment, from 0; a caption replaces the one before it of the same segment" example:"2"`
	Final   bool              `json:"final" doc:"whether the segment is finished"`
	StartMS int64             `json:"start_ms" doc:"start of its first word, in milliseconds from the beginning of the recording" example:"5200"`
	EndMS   int64             `json:"end_ms" doc:"end of its last word" example:"6140"`
	Text    string            `json:"text" doc:"what was said, with case and punctuation" example:"Ask not what your country"`
	Words   []transcript.Word `json:"words" doc:"the words of the text with their times"`
}

// Result is what became known of a recording while it was made.
type Result struct {
	Transcript   *transcript.Transcript // never nil; without segments when nobody spoke
	DurationMS   int64                  // of the sound, to the nearest millisecond
	Peaks        []float64              // as render.Waveform gives them
	LoudnessLUFS float64                // integrated, as render.Meter gives it

	// Poor says that the transcript is worse than a transcription of the
	// recording's file would be: sound was dropped because the machine had too
	// much to do, or recognising failed, and Transcript has what there is.
	Poor bool
}

// Listen begins to listen to a recording. It fails with [ErrBusy], with
// [ErrClosed], and when there is no memory left. The caller ends the listener
// with Finish or Cancel.
func (e *Engine) Listen(opts Options) (*Listener, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	if len(e.listeners) >= e.most {
		return nil, ErrBusy
	}
	decoder, err := opus.NewDecoder()
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	l := newListener(e, opts, decoder)
	if l.recogniser, err = e.recogniser.Listen(transcribe.LiveOptions{Language: opts.Language, Partials: opts.Captions != nil, Wake: l.wake}); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	e.listeners[l] = true
	go l.run()
	return l, nil
}

// left takes a listener off the list.
func (e *Engine) left(l *Listener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.listeners, l)
}

// Speakers returns how many listeners there are.
func (e *Engine) Speakers() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.listeners)
}

// Close cancels all listeners and waits until they have ended. Closing twice
// is harmless.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	var all []*Listener
	for l := range e.listeners {
		all = append(all, l)
	}
	e.mu.Unlock()
	for _, l := range all {
		l.Cancel()
	}
	for _, l := range all {
		<-l.ended
	}
}
