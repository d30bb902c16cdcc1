// Package intake accepts uploaded recordings, whichever way they come.
//
// A request body, a multipart form, and any other upload end in
// [Intake.Accept]. It checks that the sender may post in the conversation before
// a byte of sound is read, recognises the format by the first bytes and not by
// the header, streams the rest through a limit and a hash to the object store,
// inspects the structure of what was stored, and only then records message, job
// and event in one transaction. A sender that gets the message back may delete
// its copy.
//
// What can go wrong, and what is left behind:
//
//   - The sender disconnects, or the clip is refused: the object is removed.
//   - The transaction is refused: the object is removed.
//   - The transaction's outcome is not known (the database connection broke):
//     the object stays. If no message has it, maintenance removes it.
//
// A clip is never held in memory; an Accept takes the head of the clip and the
// part buffers of the object store.
package intake

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hark/media"
	"hark/media/admission"
	"hark/storage"
)

// Records is where what came in is recorded.
type Records interface {
	Conversation(ctx context.Context, principal storage.Principal, id string) (storage.Conversation, error)
	Message(ctx context.Context, principal storage.Principal, id string) (storage.Message, error)
	Usage(ctx context.Context, principal storage.Principal) (storage.Usage, error)
	MessageByKey(ctx context.Context, principal storage.Principal, idempotencyKey string) (storage.Message, string, error)
	Accept(ctx context.Context, principal storage.Principal, msg storage.NewMessage) (storage.Message, bool, error)
}

// Objects is where the bytes are kept.
type Objects interface {
	Put(ctx context.Context, key, mediaType string, r io.Reader, size int64) (int64, error)
	ReaderAt(ctx context.Context, key string, size int64) io.ReaderAt
	Delete(ctx context.Context, keys ...string) error
}

// Deps are the parts that an [Intake] works with. All but Registry are required.
type Deps struct {
	Records  Records
	Objects  Objects
	Registry *prometheus.Registry // nil: nothing is counted for others to see
	Logger   *slog.Logger
}

// Config bounds what is taken in. Zero fields mean the defaults.
type Config struct {
	Limits   media.Limits  // of one clip; default 2 GiB and 4 h
	PerUser  int           // clips that one user may be sending at once; default 8
	PerNode  int           // clips that all users may be sending to this node at once; default 128
	Patience time.Duration // how long those over these bounds wait for their turn; default 10 s
	Quotas   storage.Quotas

	// StallTimeout is how long a sender may take to send the next bytes;
	// default 30 s.
	StallTimeout time.Duration
}

// The defaults of [Config].
const (
	DefaultMaxBytes    = 2 << 30
	DefaultMaxDuration = 4 * time.Hour
	defaultPerUser     = 8
	defaultPerNode     = 128
	defaultPatience    = 10 * time.Second
	defaultStall       = 30 * time.Second
)

// maxWaiting is how many clips may wait for their turn on a node: each holds a
// connection and little else.
const maxWaiting = 1024

// How long the steps may take that go on when the sender has gone.
const (
	commitTimeout = 30 * time.Second
	removeTimeout = 10 * time.Second
)

// Intake accepts recordings. It is safe for concurrent use.
type Intake struct {
	Deps
	limits   media.Limits
	quotas   storage.Quotas
	gate     *admission.Gate // by user
	stall    time.Duration
	received prometheus.Counter // bytes
}

// New makes an [Intake] and registers its metrics.
func New(deps Deps, cfg Config) (*Intake, error) {
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
	if cfg.StallTimeout == 0 {
		cfg.StallTimeout = defaultStall
	}
	gate := admission.New(admission.Limits{Places: cfg.PerNode, PerKey: cfg.PerUser, Waiting: maxWaiting, Patience: cfg.Patience})
	in := &Intake{Deps: deps, limits: cfg.Limits, quotas: cfg.Quotas, gate: gate, stall: cfg.StallTimeout}
	if err := in.count(); err != nil {
		return nil, err
	}
	return in, nil
}

// Limits are the bounds of one clip.
func (in *Intake) Limits() media.Limits { return in.limits }
