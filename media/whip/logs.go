package whip

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// logs hands what pion has to say to slog. Whatever pion calls it, it is about
// one client's packets, so it is for debugging.
type logs struct{ log *slog.Logger }

// NewLogger implements [logging.LoggerFactory].
func (l logs) NewLogger(scope string) logging.LeveledLogger {
	return scoped{log: l.log, scope: scope}
}

type scoped struct {
	log   *slog.Logger
	scope string
}

func (s scoped) say(msg string) {
	s.log.LogAttrs(context.Background(), slog.LevelDebug, "webrtc", slog.String("scope", s.scope), slog.String("what", msg))
}

func (s scoped) sayf(format string, args ...any) {
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.say(fmt.Sprintf(format, args...))
	}
}

// Trace implements [logging.LeveledLogger].
func (s scoped) Trace(string) {}

// Tracef implements [logging.LeveledLogger].
func (s scoped) Tracef(string, ...any) {}

// Debug implements [logging.LeveledLogger].
func (s scoped) Debug(string) {}

// Debugf implements [logging.LeveledLogger].
func (s scoped) Debugf(string, ...any) {}

// Info implements [logging.LeveledLogger].
func (s scoped) Info(msg string) { s.say(msg) }

// Infof implements [logging.LeveledLogger].
func (s scoped) Infof(format string, args ...any) { s.sayf(format, args...) }

// Warn implements [logging.LeveledLogger].
func (s scoped) Warn(msg string) { s.say(msg) }

// Warnf implements [logging.LeveledLogger].
func (s scoped) Warnf(format string, args ...any) { s.sayf(format, args...) }

// Error implements [logging.LeveledLogger].
func (s scoped) Error(msg string) { s.say(msg) }

// Errorf implements [logging.LeveledLogger].
func (s scoped) Errorf(format string, args ...any) { s.sayf(format, args...) }
