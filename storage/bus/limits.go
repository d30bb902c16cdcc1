package bus

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// usualBytes is the size of a queue in an account that wants every stream
	// to have one: some 300,000 jobs.
	usualBytes = 64 << 20
	// leastBytes is a queue too small to be of use.
	leastBytes = 1 << 20
)

// createStream makes the queue. An account that wants a bound, or has less
// room than asked for, gets a queue that fits, unless its size was configured.
func (b *Bus) createStream(ctx context.Context, wanted jetstream.StreamConfig) (jetstream.Stream, error) {
	stream, err := b.js.CreateStream(ctx, wanted)
	if b.cfg.MaxBytes > 0 || !hasCode(err, codeMaxBytesRequired, codeMaxBytesForStream, codeStorageExceeded) {
		return stream, err
	}
	room, limitErr := b.room(ctx, max(wanted.Replicas, 1))
	if limitErr != nil {
		return nil, fmt.Errorf("%w (the account's limits: %w)", err, limitErr)
	}
	if room < leastBytes {
		return nil, fmt.Errorf("%w: there is room for %d bytes, and the queue needs %d at least for each copy", err, max(room, 0), leastBytes)
	}
	wanted.MaxBytes = min(room, usualBytes)
	b.logger.InfoContext(ctx, "the account has limits: the job queue is bounded", "bytes", wanted.MaxBytes)
	return b.js.CreateStream(ctx, wanted)
}

// room is how many bytes a new stream of so many copies may have.
func (b *Bus) room(ctx context.Context, replicas int) (int64, error) {
	account, err := b.js.AccountInfo(ctx)
	if err != nil {
		return 0, err
	}
	tier := account.Tier
	if t, ok := account.Tiers[fmt.Sprintf("R%d", replicas)]; ok {
		tier, replicas = t, 1 // a tier counts a stream once
	}
	room := int64(usualBytes)
	if tier.Limits.MaxStore >= 0 {
		taken := max(tier.Store, tier.ReservedStore) //nolint:gosec // both are sizes of files
		room = min(room, (tier.Limits.MaxStore-int64(taken))/int64(replicas))
	}
	if most := tier.Limits.StoreMaxStreamBytes; most > 0 {
		room = min(room, most)
	}
	return room, nil
}

// createConsumer makes or changes a consumer. Where fewer jobs may be under way
// at a time than asked for, it takes what the server gives.
func createConsumer(ctx context.Context, stream jetstream.Stream, c jetstream.ConsumerConfig) error {
	_, err := stream.CreateOrUpdateConsumer(ctx, c)
	if hasCode(err, codeMaxAckPending) {
		c.MaxAckPending = 0 // the server's own default, within its limit
		_, err = stream.CreateOrUpdateConsumer(ctx, c)
	}
	return err
}
