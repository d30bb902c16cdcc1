package pipeline

import (
	"hark/media"
	"hark/transcribe"
)

// Task is one attempt at the work that makes a message ready: what to fetch,
// what is already made, and the attempt that guards what is saved.
type Task struct {
	JobID       string
	MessageID   string
	WorkspaceID string
	Attempt     int // 1 for the first; a save by an attempt that was superseded is refused
	MaxAttempts int // after this many the message fails for good; 0 means the worker's own bound
	Try         int // which attempt this is since the work was last asked for; 0 means the same as Attempt
	Priority    transcribe.Priority

	Key      string // where the original is in the object store
	Format   media.Format
	Bytes    int64  // size of the original
	Language string // BCP 47 hint; empty means the engine's own choice

	RenditionKey   string // where to put the rendition; unguessable, the same in every attempt
	HaveRendition  bool   // an earlier attempt made the rendition
	HaveSound      bool   // the sound's measures are saved, by an earlier attempt or when it was recorded
	HaveTranscript bool   // the message is ready: it was heard while it was spoken
}

// haveAudio says that all is made but, maybe, the transcript.
func (t Task) haveAudio() bool { return t.HaveSound && t.HaveRendition }

// Sound is what is measured of decoded sound.
type Sound struct {
	DurationMS   int64
	Peaks        []float64 // 100 values, 0 to 1
	LoudnessLUFS float64   // integrated (EBU R128)
}

// Rendition is a playable encoding that was put into the object store.
type Rendition struct {
	Key       string
	MediaType string
	Bytes     int64
}
