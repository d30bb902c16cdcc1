package bus

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"hark/storage"
)

const (
	maxPending = 50_000 // jobs that run or wait for their next try, in the whole cluster
	maxWaiting = 2_048  // requests for a job that stand at a time, in the whole cluster
)

// ensureQueue makes the stream and the two consumers of a kind, or brings those that
// are there to what this version wants. When the server refuses a change
// (another version made them, in a way that cannot be changed), they are used
// as they are.
func (b *Bus) ensureQueue(ctx context.Context, kind storage.JobKind) error {
	ctx, cancel := context.WithTimeout(ctx, 2*callTime)
	defer cancel()
	stream, err := b.ensureStream(ctx)
	if err != nil {
		return fmt.Errorf("make job queue: %w", err)
	}
	for _, p := range storage.Priorities() {
		if err := b.ensureConsumer(ctx, stream, kind, p); err != nil {
			return fmt.Errorf("make consumer %s of the job queue: %w", consumerName(kind, p), err)
		}
	}
	return nil
}

func (b *Bus) ensureStream(ctx context.Context) (jetstream.Stream, error) {
	stream, err := b.js.Stream(ctx, b.names.stream())
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		wanted := b.queueConfig(jetstream.StreamConfig{Replicas: 1})
		stream, err = b.createStream(ctx, wanted)
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return stream, err
		}
		stream, err = b.js.Stream(ctx, b.names.stream()) // another node was faster
	}
	if err != nil {
		return nil, err
	}
	there := stream.CachedInfo().Config
	wanted := b.queueConfig(there)
	if reflect.DeepEqual(there, wanted) {
		return stream, nil
	}
	updated, err := b.js.UpdateStream(ctx, wanted)
	if err != nil {
		b.logger.WarnContext(ctx, "the server refused to change the job queue; it stays as it is",
			"copies", there.Replicas, "copies_wanted", wanted.Replicas, "error", err)
		return stream, nil
	}
	return updated, nil
}

// queueConfig is there with our wishes in it. A subject holds one message and
// a second is refused, which is what keeps a job from being queued twice.
func (b *Bus) queueConfig(there jetstream.StreamConfig) jetstream.StreamConfig {
	c := there
	c.Name = b.names.stream()
	c.Description = "Hark: jobs to be done"
	c.Retention = jetstream.WorkQueuePolicy
	c.Storage = jetstream.FileStorage
	c.MaxMsgsPerSubject = 1
	c.Discard = jetstream.DiscardNew
	c.DiscardNewPerSubject = true
	for _, p := range storage.Priorities() {
		for _, s := range []string{b.names.class(storage.Transcribe, p), b.names.anyKind(p)} {
			if !slices.Contains(c.Subjects, s) {
				c.Subjects = append(slices.Clone(c.Subjects), s)
			}
		}
	}
	if b.cfg.Replicas > 0 {
		c.Replicas = b.cfg.Replicas
	}
	if b.cfg.MaxBytes > 0 {
		c.MaxBytes = b.cfg.MaxBytes
	}
	return c
}

func (b *Bus) ensureConsumer(ctx context.Context, stream jetstream.Stream, kind storage.JobKind, p storage.Priority) error {
	name := consumerName(kind, p)
	err := createConsumer(ctx, stream, jetstream.ConsumerConfig{
		Durable:       name,
		Description:   "Hark: workers, " + name,
		FilterSubject: b.names.class(kind, p),
		DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       b.times.ackWait,
		MaxDeliver:    -1,
		MaxAckPending: maxPending,
		MaxWaiting:    maxWaiting,
	})
	if err == nil {
		return nil
	}
	if _, there := stream.Consumer(ctx, name); there != nil {
		return err
	}
	b.logger.WarnContext(ctx, "job queue consumer left as another version configured it", "consumer", name, "error", err)
	return nil
}

// Depth is how many jobs of a kind and priority the queue holds.
type Depth struct {
	Priority storage.Priority
	Waiting  int // not with any worker yet
	Taken    int // with a worker, or waiting for their next try
}

// Stats tells how many jobs of a kind that is taken somewhere the queue holds, the
// urgent ones first.
func (b *Bus) Stats(ctx context.Context, kind storage.JobKind) ([]Depth, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var depths []Depth
	for _, p := range storage.Priorities() {
		consumer, err := b.js.Consumer(ctx, b.names.stream(), consumerName(kind, p)) // brings fresh figures
		if err != nil {
			return nil, fmt.Errorf("ask for the depth of the job queue: %w", err)
		}
		info := consumer.CachedInfo()
		depths = append(depths, Depth{Priority: p, Waiting: int(info.NumPending), Taken: info.NumAckPending})
	}
	return depths, nil
}
