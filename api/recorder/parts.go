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

// session is what a recording needs of a whip.Session.
type session interface {
	ID() string
	Answer() string
	ETag() string
	Patch(ctx context.Context, fragment, ifMatch string) (whip.Patched, error)
	Pause()
	Resume()
	Send(message []byte) error
	Close(reason whip.Reason) // waits; End does not, and may be called by a sink
	End(reason whip.Reason)
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

// spool keeps sound while it is spoken (spool.Spool).
type spool interface {
	Node() string
	Create(ctx context.Context, id, key string, channels int) (Track, error)
	Left() ([]string, error)
	Recover(ctx context.Context, id, key string) (storage.Original, int64, error)
	Forget(ctx context.Context, id, key string) error  // with no key, the file only
	Discard(ctx context.Context, id, key string) error // and what was put under the key
}

// records is where recordings are recorded (sqldb.DB).
type records interface {
	CanHear(ctx context.Context, actor storage.Actor, conversationID string) (bool, error)
	TokenEnded(ctx context.Context, tokenID string) (bool, error)
	BeginRecording(ctx context.Context, actor storage.Actor, rec storage.NewRecording) (storage.Message, error)
	RenewRecordings(ctx context.Context, node string, lease time.Duration) ([]string, error)
	FinishRecording(ctx context.Context, rec storage.FinishedRecording) (storage.Message, storage.JobRef, error)
	DropRecording(ctx context.Context, id, node string) error
	RecordingsOf(ctx context.Context, node string) ([]storage.LiveRecording, error)
	LostRecordings(ctx context.Context, silent time.Duration, limit int) ([]storage.LiveRecording, error)
	ClaimRecording(ctx context.Context, id, fromNode, node string, lease time.Duration) (storage.LiveRecording, error)
}

// bus is told of work that is recorded and of what passes.
type bus interface {
	PublishJob(ctx context.Context, job storage.JobRef) error
	PublishEvents(ctx context.Context, events []storage.Event) error
}
