package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"hark/media/whip"
	"hark/storage"
	"hark/transcribe/live"
)

// Deps are the parts that a [Recorder] works with. All but WebRTC, Live and
// Agree are required.
type Deps struct {
	WebRTC  webrtc    // nil: no recording can begin here; those that were left are finished all the same
	Live    listeners // nil: recordings have no captions, and the job transcribes them
	Spool   spool
	Records Records
	Bus     bus

	// Agree returns nil when the records are those of the object store, so that
	// a recording without a record is one that is over. Nil means that they are.
	Agree func(ctx context.Context) error

	Registry prometheus.Registerer
	Logger   *slog.Logger
}

// Config bounds live recordings. Zero fields mean the defaults.
type Config struct {
	MaxDuration time.Duration // the longest recording; default 4 h
	PerUser     int           // recordings of one user at once on this node; default 4
	PerNode     int           // recordings at once on this node; default 1000
	Language    string        // that is expected, as a BCP 47 tag; empty means the model's own

	Lease time.Duration // how long the records hold a recording for a node that is silent; default 60 s
	Renew time.Duration // how often the lease is renewed; default 15 s
	Lost  time.Duration // how long after its lease another node takes a recording; default 2 min
	Look  time.Duration // how often this node looks for what others lost; default 1 min
}

func (c *Config) complete() {
	for _, d := range []struct {
		value *time.Duration
		or    time.Duration
	}{
		{&c.MaxDuration, 4 * time.Hour},
		{&c.Lease, time.Minute},
		{&c.Renew, 15 * time.Second},
		{&c.Lost, 2 * time.Minute},
		{&c.Look, time.Minute},
	} {
		if *d.value <= 0 {
			*d.value = d.or
		}
	}
	if c.PerUser <= 0 {
		c.PerUser = 4
	}
	if c.PerNode <= 0 {
		c.PerNode = 1000
	}
}

// putsAtOnce is how many recordings go to the object store at a time when many
// end at once; each holds a buffer.
const putsAtOnce = 32

// Recorder records. It is safe for concurrent use.
type Recorder struct {
	Deps
	cfg      Config
	metrics  *metrics
	registry *registry
	puts     *semaphore.Weighted
	nudge    chan struct{} // asks for a renewal now; holds one
	left     atomic.Int64  // recordings that there was no time to finish

	renewed atomic.Pointer[time.Time] // when leases were renewed last; nil before the first time

	// The ways to WebRTC and to live transcripts, as this package sees them;
	// nil where there is none.
	open   func(ctx context.Context, offer string, sink whip.Sink) (*session, error)
	listen func(o live.Options) (listener, error)

	work    context.Context // what finishing works in; ends when the grace is over
	endWork context.CancelFunc
	hear    context.Context // what live transcripts are finished in; ends sooner
	endHear context.CancelFunc
}

// New makes a [Recorder] and registers its metrics. Run does what goes on in
// the background; Close ends all.
func New(deps Deps, cfg Config) (*Recorder, error) {
	cfg.complete()
	if deps.Agree == nil {
		deps.Agree = func(context.Context) error { return nil }
	}
	r := &Recorder{Deps: deps, cfg: cfg, registry: newRegistry(cfg.PerUser, cfg.PerNode), puts: semaphore.NewWeighted(putsAtOnce), nudge: make(chan struct{}, 1)}
	if deps.WebRTC != nil {
		r.open = func(ctx context.Context, offer string, sink whip.Sink) (*session, error) {
			s, err := deps.WebRTC.Open(ctx, offer, sink)
			if err != nil {
				return nil, err
			}
			return &session{s, s, s}, nil
		}
	}
	if deps.Live != nil {
		r.listen = func(o live.Options) (listener, error) {
			l, err := deps.Live.Listen(o)
			if err != nil {
				return nil, err
			}
			return l, nil
		}
	}
	var err error
	if r.metrics, err = newMetrics(deps.Registry, r.registry); err != nil {
		return nil, fmt.Errorf("register recording metrics: %w", err)
	}
	r.work, r.endWork = context.WithCancel(context.Background())
	r.hear, r.endHear = context.WithCancel(r.work)
	return r, nil
}

// The refusals that say something about the moment.
var (
	ErrOff       = errors.New("live recording is off")
	ErrTooMany   = errors.New("user has as many live recordings as one may")
	ErrSaturated = errors.New("node has as many live recordings as it may")
	ErrClosing   = errors.New("node is shutting down")
)

// Session finds a recording by its session, for who began it; for anybody else
// it is storage.ErrNotFound, as it is when it is over.
func (r *Recorder) Session(id string, principal storage.Principal) (*Recording, error) {
	return r.registry.session(id, principal)
}

// Links are the values of Link headers that name ICE servers to a user's client
// (RFC 9725, section 4.6).
func (r *Recorder) Links(userID string) []string {
	if r.WebRTC == nil {
		return nil
	}
	return r.WebRTC.Links(userID)
}

// mostBehind is how far the disk may be behind a speaker on a node that is
// well: what is said is to be on it within a second.
const mostBehind = 5 * time.Second

// Ready says whether what people say here is kept as it should be.
func (r *Recorder) Ready(context.Context) error {
	if behind := behind(r.registry); behind > mostBehind {
		return fmt.Errorf("spool is %s behind the recording", behind)
	}
	return nil
}

// Run finishes what was left behind, keeps the leases of what is being
// recorded, and takes over what other nodes lost, until ctx ends.
func (r *Recorder) Run(ctx context.Context) {
	var group sync.WaitGroup
	group.Go(func() { r.every(ctx, time.Second, nil, r.notifyKept) })
	group.Go(func() { r.every(ctx, pauseEvery, nil, r.notePauses) })
	group.Go(func() { r.every(ctx, r.cfg.Renew, r.nudge, r.renew) })
	group.Go(func() {
		r.recoverLeft(ctx)
		r.every(ctx, r.cfg.Look, nil, func(ctx context.Context) {
			r.recoverLeft(ctx)
			r.recoverLost(ctx)
		})
	})
	group.Wait()
}

// every does something at intervals, and when it is asked to, until ctx ends.
func (r *Recorder) every(ctx context.Context, interval time.Duration, asked <-chan struct{}, do func(context.Context)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-asked:
		}
		do(ctx)
	}
}

// Close ends all recordings and finishes them. Live transcripts get half of
// the time that ctx leaves; those that take longer are left to the job. What
// is not finished when ctx ends stays in the spool for the next start. Closing
// twice is harmless.
func (r *Recorder) Close(ctx context.Context) error {
	recordings := r.registry.close()
	if deadline, ok := ctx.Deadline(); ok {
		defer time.AfterFunc(time.Until(deadline)/2, r.endHear).Stop()
	}
	for _, rec := range recordings {
		rec.session.End(whip.ServerStopped)
	}
	finished := make(chan struct{})
	go func() {
		r.registry.under.Wait()
		close(finished)
	}()
	select {
	case <-finished:
	case <-ctx.Done():
	}
	r.endWork()
	<-finished
	if left := r.left.Load(); left > 0 {
		return fmt.Errorf("%d live recordings unfinished; the next start will finish them: %w", left, context.Cause(ctx))
	}
	return nil
}
