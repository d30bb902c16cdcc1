package recorder

import (
	"context"
	"time"

	"hark/media/whip"
)

// Nudge has the leases renewed now, which finds out about messages that were
// deleted and speakers who may not go on. It does not wait.
func (r *Recorder) Nudge() {
	select {
	case r.nudge <- struct{}{}:
	default: // one is asked for already
	}
}

// renew keeps this node's hold on all its recordings in one call, and ends
// those that should not go on: whose message is gone, whose speaker may not
// speak there any more, and who bring nothing.
func (r *Recorder) renew(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Lease/2)
	defer cancel()
	asked := time.Now()
	speakers := r.registry.speakers() // before the records are asked: later ones are not missing in the answer
	held, err := r.Records.RenewRecordings(ctx, r.Spool.Node(), r.cfg.Lease)
	if err != nil {
		if ctx.Err() == nil || len(speakers) > 0 {
			r.Logger.WarnContext(ctx, "renewing live recording leases failed", "recordings", len(speakers), "error", err)
		}
		return
	}
	r.renewed.Store(&asked)
	holds := make(map[string]bool, len(held))
	for _, id := range held {
		holds[id] = true
	}
	for _, rec := range speakers {
		switch {
		case !holds[rec.id]:
			rec.unheld.Store(true)
			rec.session.End(reasonDeleted) // or taken by a node that heard nothing of this one for minutes
		case rec.idle():
			rec.session.End(reasonIdle)
		default:
			if reason := r.refuses(ctx, rec); reason != "" {
				rec.session.End(reason)
			}
		}
	}
}

// holds reports whether a recording is surely this node's at a time, by when
// its lease was given or renewed.
func (r *Recorder) holds(rec *Recording, now time.Time) bool {
	since := rec.begun
	if renewed := r.renewed.Load(); renewed != nil && renewed.After(since) {
		since = *renewed
	}
	return !rec.unheld.Load() && longest(since, now) < r.cfg.Lease
}

// longest is how much time may have gone by: the monotonic clock stands still
// while the machine sleeps, and the other one may be set.
func longest(since, now time.Time) time.Duration {
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

// refuses returns why a speaker may not go on, or nothing: they left the
// conversation, or the credential that they began with was revoked. One that
// runs out lets them finish. When the records do not say, they go on.
func (r *Recorder) refuses(ctx context.Context, rec *Recording) whip.Reason {
	if may, err := r.Records.CanHear(ctx, rec.principal, rec.conversationID); err == nil && !may {
		return reasonRemoved
	}
	if ended, err := r.Records.TokenEnded(ctx, rec.principal.CredentialID); err == nil && ended {
		return reasonSignedOut
	}
	return ""
}
