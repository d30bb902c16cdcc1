// Package transcribe defines what transcribes a clip: the [Engine], and how it
// fails.
//
// The engines live below: local (in process) and openai (any compatible
// server); models fetches what the engine in process needs; lang has the rules
// by language; live hears somebody who is still speaking, with any
// [LiveEngine]; pipeline runs one message from its stored bytes to its
// transcript.
package transcribe

import (
	"context"

	"hark/media/transcript"
)

// Source is sound to be transcribed: mono, 16 kHz (media.SampleRate), samples
// in -1..1, read once from the start. ReadSamples fills up to len(p) samples
// and returns how many; it may block until more sound is there and returns 0,
// io.EOF at the end. media.SpoolReader is one.
type Source interface {
	ReadSamples(p []float32) (int, error)
}

// Stereo is a Source of two channels, whose ReadSamples mixes them. An engine
// may ask, after a read, whether they are Apart: the channels then hold
// different speech, and each is best heard by itself. ReadChannel reads one of
// them, 0 or 1, from sample at on, as often and in any order; it returns 0,
// io.EOF at the end, and is asked only then. media.SpoolReader is one.
type Stereo interface {
	Source
	Apart() bool
	ReadChannel(channel int, at int64, p []float32) (int, error)
}

// Priority orders work that competes for the same recognisers.
type Priority int

// The priorities, most urgent first. The zero value is Interactive.
const (
	Live        Priority = iota - 1 // somebody is speaking
	Interactive                     // somebody is waiting for it
	Bulk                            // long clips and imports
)

// Options says how to transcribe one clip. The zero value is a sensible default.
type Options struct {
	Language string   // BCP 47 hint; empty means the engine's own choice
	Priority Priority // who goes first when recognisers are scarce

	// Progress, when not nil, gets how much of the sound is done, in
	// milliseconds from its start. Calls come one at a time and never go back.
	Progress func(doneMS int64)
}

// Engine transcribes clips. Transcribe reads src to its end and
// returns when all of it is recognised, or with ctx's cause when ctx ends. An
// Engine is safe for concurrent use. A failure that will pass (a server that
// is away) is an ordinary error; one that cannot pass wraps [ErrPermanent].
type Engine interface {
	Transcribe(ctx context.Context, src Source, opts Options) (*transcript.Transcript, error)
}
