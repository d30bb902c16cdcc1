package work_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
	"hark/storage/work"
)

// listed is a queue that keeps what is published, as long as it is there.
type listed struct {
	mu   sync.Mutex
	away bool
	ids  []string
}

// PublishJob implements the publisher's queue.
func (l *listed) PublishJob(ctx context.Context, job storage.JobRef) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away || ctx.Err() != nil {
		return errors.New("no servers available")
	}
	l.ids = append(l.ids, job.ID)
	return nil
}

// What is committed is published, in order, also what was committed when the
// publisher was stopped; what the queue does not take is due all the same.
func TestPublisherPublishesWhatIsCommitted(t *testing.T) {
	j := &jobs{}
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, owner, _ := newSender(t, db, j)
		queue := &listed{}
		j.to = work.NewPublisher(queue, slog.New(slog.DiscardHandler))
		sent := []string{s.send(owner), s.send(owner)}
		stopped, stop := context.WithCancel(t.Context())
		stop()
		j.to.Run(stopped)
		if !slices.Equal(queue.ids, sent) {
			t.Errorf("published %v, committed %v", queue.ids, sent)
		}

		queue.away = true
		sent = append(sent, s.send(owner))
		j.to.Run(stopped)
		due, err := db.DueJobs(t.Context(), 10)
		if err != nil || len(queue.ids) != 2 || len(due) != 3 || due[2].ID != sent[2] {
			t.Errorf("published %v, due %v, %v", queue.ids, due, err)
		}
	}, storagetest.OnJobs(j.add))
}
