// Package security logs what those who watch over a Hark look for: who signed in
// and out, which credentials came and went, and who was refused.
//
// The packages that decide so call it; the id and the address of the request come
// from its rest.Call. Events go to the log of the program under the message
// "security".
package security

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"hark/api/rest"
)

// Event names something that is logged. The names are stable: logs are searched
// by event=NAME.
type Event string

// The events.
const (
	SignIn             Event = "sign_in"
	SignInFailed       Event = "sign_in_failed"
	JoinFailed         Event = "join_failed"
	EmailConfirmFailed Event = "email_confirm_failed"
	SignOut            Event = "sign_out"
	SessionReplaced    Event = "session_replaced"
	TokenCreated       Event = "token_created"
	TokenRevoked       Event = "token_revoked"
	CredentialFailed   Event = "credential_refused"
	SignedRefused      Event = "signed_address_refused"
	CrossSite          Event = "cross_site_refused"
	HostRefused        Event = "host_refused"
)

// How many refusals are logged: so many at once, and then so many a second.
// Those that are left out are counted.
const (
	refusalBurst = 20
	refusalRate  = rate.Limit(1)
)

// Log writes security events. It is safe for concurrent use.
type Log struct {
	log      *slog.Logger
	refusals *rate.Limiter
	omitted  atomic.Int64 // refusals left out since the last that was written
}

// New makes a [Log] that writes to log.
func New(log *slog.Logger) *Log {
	return &Log{log: log, refusals: rate.NewLimiter(refusalRate, refusalBurst)}
}

// Done writes that somebody did something, with whom and by which credential;
// never the secret.
func (l *Log) Done(ctx context.Context, event Event, userID, credentialID string) {
	l.log.LogAttrs(ctx, slog.LevelInfo, "security", append(sourceOf(ctx, event),
		slog.String("user", userID), slog.String("credential", credentialID))...)
}

// Refused writes that somebody was refused, and why; beyond a rate only how often.
func (l *Log) Refused(ctx context.Context, event Event, cause error) {
	if !l.refusals.AllowN(time.Now(), 1) {
		l.omitted.Add(1)
		return
	}
	attrs := append(sourceOf(ctx, event), slog.Any("error", cause))
	if left := l.omitted.Swap(0); left > 0 {
		attrs = append(attrs, slog.Int64("left_out", left))
	}
	l.log.LogAttrs(ctx, slog.LevelWarn, "security", attrs...)
}

func sourceOf(ctx context.Context, event Event) []slog.Attr {
	attrs := []slog.Attr{slog.String("event", string(event))}
	if call := rest.CallFrom(ctx); call != nil {
		attrs = append(attrs, slog.String("remote", call.Echo.RealIP()), slog.String("request", call.ID))
	}
	return attrs
}
