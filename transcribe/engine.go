package transcribe

import "context"

// Source is sound to be transcribed: mono, 16 kHz (media.SampleRate), samples
// in -1..1, read once from the start. ReadSamples fills up to len(p) samples
// and returns how many; it may block until more sound is there and returns 0,
// io.EOF at the end. media.SpoolReader is one.
type Source interface {
	ReadSamples(p []float32) (int, error)
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

	// Progress, when not nil, is told how much of the sound is done, in
	// milliseconds from its start. Calls come one at a time and never go back.
	Progress func(doneMS int64)
}

// Engine hears what is said in a clip. Transcribe reads src to its end and
// returns when all of it is recognised, or with ctx's cause when ctx ends. An
// Engine is safe for concurrent use. A failure that will pass (a server that
// is away) is an ordinary error; one that cannot pass wraps [ErrPermanent].
type Engine interface {
	Transcribe(ctx context.Context, src Source, opts Options) (*Transcript, error)
}
