package recorder

import (
	"context"
	"time"

	"hark/media/opus"
	"hark/media/whip"
	"hark/storage"
	"hark/transcribe/live"
)

// webrtc opens sessions (whip.Server).
type webrtc interface {
	Open(ctx context.Context, offer string, sink whip.Sink) (*whip.Session, error)
	Links(user string) []string
}

// session is a whip.Session, in the parts that a recording needs of it.
type session struct {
	signalling
	control
	feedback
}

// signalling is what a WHIP client sees of a session (RFC 9725).
type signalling interface {
	ID() string
	Answer() string
	ETag() string
	Patch(ctx context.Context, fragment, ifMatch string) (whip.Patched, error)
}

// control pauses and ends a session.
type control interface {
	Pause()
	Resume()
	Paused() bool
	Close(reason whip.Reason) // waits; End does not, and may be called by a sink
	End(reason whip.Reason)
}

// feedback is what goes back to the speaker, and what came.
type feedback interface {
	Send(message []byte) error
	Stats() whip.Stats
}

// listeners make live transcripts (live.Engine).
type listeners interface {
	Listen(o live.Options) (*live.Listener, error)
}

// listener is what a recording needs of a live.Listener.
type listener interface {
	Write(p opus.Packet)
	Finish(ctx context.Context) (*live.Result, error)
	Cancel()
}

// Track is one recording in the spool.
type Track interface {
	// Write takes a packet and never waits for a disk or a store.
	Write(p opus.Packet) error
	// Kept and Length are how much of the sound is on the disk, and how much
	// there is, in milliseconds.
	Kept() int64
	Length() int64
	// Finish ends the recording, puts it whole in the object store, and says
	// what it is and how many milliseconds it lasts: 0 when nothing was said,
	// and nothing put. It may be called again after it failed.
	Finish(ctx context.Context) (storage.Original, int64, error)
}

// spool keeps sound while it is recorded (spool.Spool).
type spool interface {
	Node() string
	Create(ctx context.Context, id, key string, channels int) (Track, error)
	Left() ([]string, error)
	Recover(ctx context.Context, id, key string) (storage.Original, int64, error)
	Forget(ctx context.Context, id, key string) error  // with no key, the file only
	Discard(ctx context.Context, id, key string) error // and what was put under the key
}

// Records is where recordings are recorded: one sqldb.DB, in the parts that a
// recorder needs of it.
type Records struct {
	Access
	Recordings
	Abandoned
}

// Access says whether a speaker may go on.
type Access interface {
	CanHear(ctx context.Context, principal storage.Principal, conversationID string) (bool, error)
	TokenEnded(ctx context.Context, tokenID string) (bool, error)
}

// Recordings follows the recordings of a node from beginning to end.
type Recordings interface {
	BeginRecording(ctx context.Context, principal storage.Principal, rec storage.NewRecording) (storage.Message, error)
	RenewRecordings(ctx context.Context, node string, lease time.Duration) ([]string, error)
	PauseRecording(ctx context.Context, id, node string, paused bool) error
	FinishRecording(ctx context.Context, rec storage.FinishedRecording) (storage.Message, error)
	DropRecording(ctx context.Context, id, node string) error
}

// Abandoned finds recordings whose process ended before they did.
type Abandoned interface {
	RecordingsOf(ctx context.Context, node string) ([]storage.LiveRecording, error)
	LostRecordings(ctx context.Context, silent time.Duration, limit int) ([]storage.LiveRecording, error)
	ClaimRecording(ctx context.Context, id, fromNode, node string, lease time.Duration) (storage.LiveRecording, error)
}

// bus takes the passing events of what is recorded.
type bus interface {
	PublishEvents(ctx context.Context, events []storage.Event) error
}
