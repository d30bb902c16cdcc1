package api

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// securityEvent names something that those who watch over a Hark look for. The
// names are stable: logs are searched by event=NAME.
type securityEvent string

const (
	eventSignIn           securityEvent = "sign_in"
	eventSignInFailed     securityEvent = "sign_in_failed"
	eventSignOut          securityEvent = "sign_out"
	eventSessionReplaced  securityEvent = "session_replaced"
	eventTokenCreated     securityEvent = "token_created"
	eventTokenRevoked     securityEvent = "token_revoked"
	eventCredentialFailed securityEvent = "credential_refused"
	eventSignedRefused    securityEvent = "signed_address_refused"
	eventCrossSite        securityEvent = "cross_site_refused"
	eventHostRefused      securityEvent = "host_refused"
)

// How many events of strangers are logged: so many at once, and then so many a
// second. What is left out is counted.
const (
	strangerBurst = 20
	strangerRate  = rate.Limit(1)
)

// securityLog writes security events. It is safe for concurrent use.
type securityLog struct {
	log       *slog.Logger
	strangers *rate.Limiter
	left      atomic.Int64 // events left out since the last that was written
}

func newSecurityLog(log *slog.Logger) *securityLog {
	return &securityLog{log: log, strangers: rate.NewLimiter(strangerRate, strangerBurst)}
}

// done writes that somebody did something, with whom and by which credential;
// never the secret.
func (l *securityLog) done(ctx context.Context, event securityEvent, userID, credentialID string) {
	l.log.LogAttrs(ctx, slog.LevelInfo, "security", append(whence(ctx, event),
		slog.String("user", userID), slog.String("credential", credentialID))...)
}

// refused writes that somebody was refused, and why; not each time, if it is
// many times.
func (l *securityLog) refused(ctx context.Context, event securityEvent, cause error) {
	if !l.strangers.AllowN(time.Now(), 1) {
		l.left.Add(1)
		return
	}
	attrs := append(whence(ctx, event), slog.Any("error", cause))
	if left := l.left.Swap(0); left > 0 {
		attrs = append(attrs, slog.Int64("left_out", left))
	}
	l.log.LogAttrs(ctx, slog.LevelWarn, "security", attrs...)
}

func whence(ctx context.Context, event securityEvent) []slog.Attr {
	attrs := []slog.Attr{slog.String("event", string(event))}
	if call := callFrom(ctx); call != nil {
		attrs = append(attrs, slog.String("remote", call.echo.RealIP()), slog.String("request", call.id))
	}
	return attrs
}
