package bus

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"hark/storage"
)

// legacyStream is the job queue of versions that had no prefix.
const legacyStream = "HARK_JOBS"

// removeLegacyQueue deletes the queue that a version without prefixes left
// behind. Nothing is lost: jobs are in the database, and maintenance publishes
// them to the new queue. A queue from which a worker is taking jobs belongs to
// nodes that are not upgraded yet, or to another Hark, and stays.
func (b *Bus) removeLegacyQueue(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err := b.watchDenials(ctx, func(ctx context.Context) error {
		stream, err := b.js.Stream(ctx, legacyStream)
		if err != nil {
			return err
		}
		for _, p := range storage.Priorities() {
			consumer, err := stream.Consumer(ctx, p.String())
			if errors.Is(err, jetstream.ErrConsumerNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if consumer.CachedInfo().NumWaiting > 0 {
				b.logger.InfoContext(ctx, "the job queue of an older version is in use and stays", "stream", legacyStream)
				return nil
			}
		}
		if err := b.js.DeleteStream(ctx, legacyStream); err != nil {
			return err
		}
		b.logger.InfoContext(ctx, "removed the job queue of an older version; its jobs will be published again",
			"stream", legacyStream, "jobs", stream.CachedInfo().State.Msgs)
		return nil
	})
	if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		b.logger.DebugContext(ctx, "the job queue of an older version was not looked for", "error", err)
	}
}
