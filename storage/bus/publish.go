package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"hark/storage"
)

// PublishJob puts a job in the queue, where it stays until a handler is done
// with it. A job that is in the queue already, waiting or running, is left as
// it is. An error means that it may not be there; maintenance will see to it.
func (b *Bus) PublishJob(ctx context.Context, job storage.JobRef) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if err := errors.Join(checkToken(job.ID), checkToken(string(job.Kind))); err != nil {
		return fmt.Errorf("publish job %q of kind %q: %w", job.ID, job.Kind, err)
	}
	data, err := json.Marshal(jobPayload{Job: job.ID, Attempt: job.Attempt})
	if err != nil {
		return fmt.Errorf("publish job %s: %w", job.ID, err)
	}
	_, err = b.js.Publish(ctx, b.names.job(job.Kind, job.Priority, job.ID), data, jetstream.WithExpectStream(b.names.stream()))
	if err != nil && !isQueuedAlready(err) {
		return fmt.Errorf("publish job %s: %w", job.ID, err)
	}
	return nil
}

// isQueuedAlready tells the refusal of a second message for one job. The
// server has one code for all that its store refuses, so the text decides.
func isQueuedAlready(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && strings.Contains(api.Description, server.ErrMaxMsgsPerSubject.Error())
}

// PublishEvents tells all listeners, on all nodes, what happened. It does not
// wait for the server; an event may be lost without an error.
func (b *Bus) PublishEvents(_ context.Context, events []storage.Event) error {
	for _, e := range events {
		if err := checkToken(e.WorkspaceID); err != nil {
			return fmt.Errorf("publish event: workspace %q: %w", e.WorkspaceID, err)
		}
		data, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("publish event: %w", err)
		}
		if err := b.conn.Publish(b.names.events(e.WorkspaceID), data); err != nil {
			return fmt.Errorf("publish event: %w", err)
		}
	}
	return nil
}

// CancelJob calls off the work on a job, on whichever node it runs: its
// handler's context ends with ErrCanceled. It does not take the job out of the queue, and nobody answers:
// a worker must also find out for itself that its message is gone.
func (b *Bus) CancelJob(_ context.Context, id string) error {
	data, err := json.Marshal(cancelPayload{ID: id})
	if err == nil {
		err = b.conn.Publish(b.names.cancel(), data)
	}
	if err != nil {
		return fmt.Errorf("cancel job %s: %w", id, err)
	}
	return nil
}
