// Package intake is the one door through which recordings come in.
//
// A request body, a multipart form, and whatever way comes later all end in
// [Intake.Accept]: it asks whether the sender may speak in the conversation
// before a byte of sound is read, believes the first bytes and not the header,
// streams the rest through a limit and a hash to the object store, looks at
// the structure of what was stored, and only then records message, job and
// event in one transaction. Who gets a message back may forget their copy.
//
// What can go wrong, and what is left behind:
//
//   - The sender vanishes, or the clip is refused: the object is removed.
//   - The transaction is refused: the object is removed.
//   - The transaction's outcome is not known (the database went away): the
//     object stays. It belongs either to a message or to nobody, and the sweep
//     for orphans can tell.
//   - The job cannot be published: that is only logged. The database holds the
//     job, and a sweeper publishes what was kept back.
//
// A clip is never held in memory; an Accept takes the head of the clip and the
// part buffers of the object store.
package intake

import (
	"context"
	"io"
	"log/slog"
	"time"

	"hark/media"
	"hark/storage"
)

// messages is where what came in is recorded.
type messages interface {
	Conversation(ctx context.Context, actor storage.Actor, id string) (storage.Conversation, error)
	Message(ctx context.Context, actor storage.Actor, id string) (storage.Message, error)
	MessageByKey(ctx context.Context, actor storage.Actor, idempotencyKey string) (storage.Message, string, error)
	Accept(ctx context.Context, actor storage.Actor, msg storage.NewMessage) (storage.Message, storage.JobRef, bool, error)
}

// objects is where the bytes are kept.
type objects interface {
	Put(ctx context.Context, key, mediaType string, r io.Reader, size int64) (int64, error)
	ReaderAt(ctx context.Context, key string, size int64) io.ReaderAt
	Delete(ctx context.Context, keys ...string) error
}

// jobs is told of work that is recorded.
type jobs interface {
	PublishJob(ctx context.Context, job storage.JobRef) error
}

// Deps are the parts that an [Intake] works with. All are required.
type Deps struct {
	Messages messages
	Objects  objects
	Jobs     jobs
	Logger   *slog.Logger
}

// Config bounds what is taken in. Zero fields mean the defaults.
type Config struct {
	Limits   media.Limits  // of one clip; default 2 GiB and 4 h
	PerUser  int           // clips that one user may be sending at once; default 8
	PerNode  int           // clips that all users may be sending to this node at once; default 128
	Patience time.Duration // how long those over these bounds wait for their turn; default 10 s
}

// The defaults of [Config].
const (
	DefaultMaxBytes    = 2 << 30
	DefaultMaxDuration = 4 * time.Hour
	defaultPerUser     = 8
	defaultPerNode     = 128
	defaultPatience    = 10 * time.Second
)

// How long the steps may take that go on when the sender has gone.
const (
	commitTimeout  = 30 * time.Second
	publishTimeout = 2 * time.Second
	removeTimeout  = 10 * time.Second
)

// Intake accepts recordings. It is safe for concurrent use.
type Intake struct {
	Deps
	limits media.Limits
	gate   *gate
}

// New makes an [Intake].
func New(deps Deps, cfg Config) *Intake {
	if cfg.Limits.MaxBytes == 0 {
		cfg.Limits.MaxBytes = DefaultMaxBytes
	}
	if cfg.Limits.MaxDuration == 0 {
		cfg.Limits.MaxDuration = DefaultMaxDuration
	}
	if cfg.PerUser == 0 {
		cfg.PerUser = defaultPerUser
	}
	if cfg.Patience == 0 {
		cfg.Patience = defaultPatience
	}
	if cfg.PerNode == 0 {
		cfg.PerNode = defaultPerNode
	}
	return &Intake{Deps: deps, limits: cfg.Limits, gate: newGate(cfg.PerUser, cfg.PerNode, cfg.Patience)}
}

// InFlight is how many clips are being sent to this node now.
func (in *Intake) InFlight() int { return in.gate.inFlight() }

// Limits are the bounds of one clip.
func (in *Intake) Limits() media.Limits { return in.limits }
