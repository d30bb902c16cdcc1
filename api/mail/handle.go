package mail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"hark/media/backoff"
	"hark/storage"
	"hark/storage/work"
)

// Kind is the sender as the handler of the kind mail. A mail is tried for about five
// hours: soon at first, for those who wait for a link.
func (s *Sender) Kind() work.Kind {
	return work.Kind{
		Name: storage.Mail, Handler: s, Interactive: 2, Bulk: 1, Timeout: 10 * time.Minute,
		Attempts: 16, Waits: backoff.Policy{First: 10 * time.Second, Most: 30 * time.Minute},
	}
}

// Handle implements work.Handler.
func (s *Sender) Handle(ctx context.Context, a *work.Attempt) error {
	var m Message
	if err := json.Unmarshal(a.Args, &m); err != nil {
		return &work.Failure{Reason: "The job's args are no mail.", Then: work.Hopeless}
	}
	a.Note(slog.String("template", m.Template))
	if !m.Until.IsZero() && time.Now().After(m.Until) {
		return &work.Failure{Reason: "It could not be sent before what it says had run out.", Then: work.GiveUp}
	}
	_, err := s.Send(ctx, messageID(a.Job), m)
	if err == nil {
		return nil
	}
	link := ""
	if content, err := m.content(); err == nil {
		link = content.link()
	}
	f := &work.Failure{Reason: withoutSecrets(err.Error(), link)} // for the log too: the error itself may repeat secrets
	var refusal *Refusal
	switch {
	case errors.Is(err, errWrite):
		f.Then = work.Hopeless
	case errors.As(err, &refusal) && refusal.Permanent():
		f.Then = work.GiveUp
	}
	return f
}

// messageID names a mail by its job and by what it says: the same when it is sent
// again, and another when the job begins anew with something else to say.
func messageID(job storage.Job) string {
	sum := sha256.Sum256(job.Args)
	return job.ID + "." + hex.EncodeToString(sum[:4])
}
