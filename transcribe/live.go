package transcribe

import "hark/media/transcript"

// LiveEngine is an engine that also hears recordings while they are made. The
// caller closes each session. It is safe for concurrent use.
type LiveEngine interface {
	Listen(opts LiveOptions) (LiveSession, error)
}

// LiveOptions says how to hear a recording while it is made.
type LiveOptions struct {
	Language string // BCP 47 hint; empty means the engine's own choice
	Partials bool   // whether a piece is to be heard again and again before it is finished

	// Wake is called when Take may have something new, by any goroutine, until
	// Close. It must not block, nor call the session.
	Wake func()
}

// LiveSession hears one recording while it is made. Its methods are called by
// one goroutine at a time and never wait for the recogniser, except Finish.
type LiveSession interface {
	// Write hears more of the recording: mono, 16 kHz. It fails only when the
	// engine is closed or broken; the samples are then lost.
	Write(samples []float32) error
	// Pause says that nothing comes at present, which is as good as silence.
	Pause()
	// Take returns what became known since it was called last.
	Take() []Utterance
	// Behind reports whether speech was lost because the recogniser did not
	// keep up.
	Behind() bool
	// Finish ends the recording and returns its transcript when all of it is
	// heard; with an error, what there is. It waits until stop is closed or the
	// engine is.
	Finish(stop <-chan struct{}) (*transcript.Transcript, error)
	// Close gives up what is still being heard. Closing twice is harmless.
	Close()
}

// Utterance is what was said in one piece of a recording, as far as it is
// known.
//
// One replaces the one before of the same number. After the final one there
// are no others that are not final; but the final one may come again, when the
// next piece goes on with its sentence and takes its full stop away.
type Utterance struct {
	Number  int               // of the piece, counted from 0
	Final   bool              // the piece is finished
	StartMS int64             // of the piece, in milliseconds from the recording's start
	Words   []transcript.Word // with times from the recording's start; may be none
}
