package storage

import "hark/media"

// Task is one attempt at the work that makes a message ready: what to fetch, and
// what is already made.
type Task struct {
	Job       // which guards what is saved
	MessageID string

	Key      string // where the original is in the object store
	Format   media.Format
	Bytes    int64  // size of the original
	Language string // BCP 47 hint; empty means the engine's own choice

	RenditionKey   string // where to put the rendition; unguessable, the same in every attempt
	HaveRendition  bool   // an earlier attempt made the rendition
	HaveSound      bool   // the sound's measures are saved, by an earlier attempt or when it was recorded
	HaveTranscript bool   // the message is ready: it was heard while it was spoken
}

// HaveAudio says that all is made but, maybe, the transcript.
func (t Task) HaveAudio() bool { return t.HaveSound && t.HaveRendition }

// Sound is what is measured of decoded sound.
type Sound struct {
	DurationMS   int64
	Peaks        []float64 // 100 values, 0 to 1
	LoudnessLUFS float64   // integrated (EBU R128)
}
