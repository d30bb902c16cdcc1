// Package bus carries jobs to workers and events to listeners, over NATS: a
// server or cluster of one's own, or the server that [Serve] runs inside this
// process. The words on the wire are the same.
//
// # Jobs
//
// A job is a message in the JetStream work queue <prefix>-jobs, under the subject
// <prefix>.jobs.<priority>.<kind>.<job id>; one of the kind transcribe, which older
// versions know alone, under <prefix>.jobs.<priority>.<job id>. The queue takes one
// message a subject, so a job that is published again while it waits or runs stays
// there once. It leaves the queue when a handler says [Done].
//
// [Bus.Consume] pulls the jobs of one kind, for as many handlers as there are slots.
// Each kind and priority has a consumer of its own on the server, which is made by
// who first takes such jobs. So what nobody takes stays in the queue, costs nothing
// but its room there, and keeps no other back. While a
// handler runs, it tells the server every few seconds; a worker that dies
// falls silent, and after ten seconds its job goes to another. So a handler
// may see a job twice, even at once on two nodes when the network fails, and
// the database (a lease, an attempt) decides which of them counts.
//
// The queue has the jobs of a kind and priority in the order in which they came. A handler
// may take another than the one that it is offered, as the database has the
// order in which authors have their turns (see package work): a [Delivery] is a
// job's place in the queue. One that does says so by [Delivery.Takes].
//
// The queue may lose what it acknowledged when the power fails: it syncs to
// disk every few seconds. The database is the truth, and maintenance publishes
// whatever is due there and missing here.
//
// # Events
//
// Events are plain NATS messages under <prefix>.events.<workspace id>, kept
// nowhere: who was not listening, or listens too slowly, has missed them and
// reads the database. Dropped of a subscription says when.
//
// # Sharing a server
//
// All names begin with [Config.Prefix], which each Hark has to itself, so that
// several can use one server. A user that is confined to some subjects needs to
// publish to <prefix>.>, $JS.API.> and $JS.ACK.<prefix>-jobs.>, and to
// subscribe to <prefix>.> and _INBOX.>. [Connect] tries them. An account with
// limits must leave room for one stream of at least 1 MiB, with two consumers for
// each kind of job that is done.
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hark/storage"
)

// Config says which server to use.
type Config struct {
	URL      string    // such as "nats://host:4222", several separated by commas; ignored when Embedded is set
	Embedded *Embedded // the server of this process
	Name     string    // who we are, for the server's operator
	Prefix   string    // begins all names of this Hark on the server; see [CheckPrefix]
	Replicas int       // copies of the job queue in a cluster; 0 means 1 for a new queue, and whatever an old one has
	MaxBytes int64     // most that the job queue takes on the server's disk; 0 means no bound, or what the account allows
	Auth     Auth
	TLS      TLS
	Logger   *slog.Logger
}

// Bus is a connection to the server. It is safe for concurrent use. When the
// connection is lost it is sought again for ever; meanwhile publishing fails
// at once and consuming waits.
type Bus struct {
	cfg    Config
	names  names
	conn   *nats.Conn
	js     jetstream.JetStream
	logger *slog.Logger
	times  times
	closed chan struct{}

	mu     sync.Mutex
	subs   map[*subscription]struct{}
	denied context.CancelCauseFunc // of watchDenials, or nil
}

// times are the intervals of consuming.
type times struct {
	ackWait time.Duration // silence after which a worker counts as dead
	beat    time.Duration // how often a running job is reported
	poll    time.Duration // how long one request for a job stands
	pause   time.Duration // rest after an error of the server's
}

func usualTimes() times {
	return times{ackWait: 10 * time.Second, beat: 3 * time.Second, poll: 5 * time.Second, pause: time.Second}
}

const (
	connectTime = 5 * time.Second
	callTime    = 5 * time.Second // a request to JetStream, where the caller sets no sooner end
)

// Connect connects to the server and makes the job queue there if need be. A
// server that does not answer, or a cluster that is not ready, is
// storage.ErrUnreachable.
func Connect(ctx context.Context, cfg Config) (*Bus, error) {
	b := &Bus{
		cfg:    cfg,
		names:  names{cfg.Prefix},
		logger: cfg.Logger,
		times:  usualTimes(),
		closed: make(chan struct{}),
		subs:   map[*subscription]struct{}{},
	}
	if err := CheckPrefix(cfg.Prefix); err != nil {
		return nil, fmt.Errorf("connect to NATS: prefix: %w", err)
	}
	options, err := b.options()
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w: %w", ErrFile, err)
	}
	if b.conn, err = nats.Connect(cfg.URL, options...); err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", b.classify(err))
	}
	if err := b.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to NATS: %w", b.classify(err)), b.Close())
	}
	return b, nil
}

// prepare finds out whether the server can be worked with, and makes the queue.
func (b *Bus) prepare(ctx context.Context) (err error) {
	if b.js, err = jetstream.New(b.conn, jetstream.WithDefaultTimeout(callTime)); err != nil {
		return err
	}
	if err := b.probeSubjects(ctx); err != nil {
		return err
	}
	b.removeLegacyQueue(ctx)
	return b.watchDenials(ctx, func(ctx context.Context) error { return b.ensureQueue(ctx, storage.Transcribe) })
}

func (b *Bus) options() ([]nats.Option, error) {
	opts := []nats.Option{
		nats.Name(b.cfg.Name),
		nats.Timeout(connectTime),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // credentials may be changed on both sides, one after the other
		nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectJitter(500*time.Millisecond, 500*time.Millisecond),
		nats.ReconnectBufSize(-1), // what cannot be sent now is an error now
		nats.PingInterval(10 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				b.logger.Warn("lost the connection to NATS", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) {
			b.logger.Info("connected to NATS again")
			b.dropForAll()
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			if sub != nil && errors.Is(err, nats.ErrSlowConsumer) {
				b.dropForAll()
			}
			if errors.Is(err, nats.ErrPermissionViolation) {
				b.noteDenial(err)
			}
			b.logger.Warn("NATS reported an error", "error", err)
		}),
		nats.ClosedHandler(func(*nats.Conn) { close(b.closed) }),
	}
	if b.cfg.Embedded != nil {
		return append(opts, nats.InProcessServer(b.cfg.Embedded.server)), nil
	}
	auth, err := b.cfg.Auth.options()
	if err != nil {
		return nil, err
	}
	secure, err := b.cfg.TLS.options()
	return append(append(opts, auth...), secure...), err
}

// Ping asks whether the server answers and has the job queue.
func (b *Bus) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if !b.conn.IsConnected() {
		return errors.New("ask NATS for the job queue: not connected")
	}
	if _, err := b.js.Stream(ctx, b.names.stream()); err != nil {
		return fmt.Errorf("ask NATS for the job queue: %w", err)
	}
	return nil
}

// Close ends the connection and all subscriptions. Consume must have
// returned. Closing again does nothing.
func (b *Bus) Close() error {
	b.conn.Close()
	<-b.closed
	for _, s := range b.subscriptions() {
		s.close()
	}
	return nil
}
