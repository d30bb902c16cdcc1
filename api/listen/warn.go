package listen

import (
	"log/slog"
	"net"
	"time"

	"golang.org/x/time/rate"
)

// warnEvery is the least pause between two warnings of a kind: the metrics
// count, the log only says that it happens.
const warnEvery = time.Minute

// warnings are what operators are told. Safe for concurrent use.
type warnings struct {
	log             *slog.Logger
	total, byAddr   *rate.Sometimes
	failingToAccept *rate.Sometimes
}

func newWarnings(log *slog.Logger) warnings {
	every := func() *rate.Sometimes { return &rate.Sometimes{Interval: warnEvery} }
	return warnings{log: log, total: every(), byAddr: every(), failingToAccept: every()}
}

func (w warnings) refused(reason string, remote net.Addr) {
	limit, setting := w.total, "HARK_MAX_CONNECTIONS"
	if reason == reasonAddress {
		limit, setting = w.byAddr, "HARK_MAX_CONNECTIONS_PER_ADDRESS"
	}
	limit.Do(func() {
		w.log.Warn("connection refused: too many are open", "reason", reason, "remote", remote.String(), "setting", setting)
	})
}

func (w warnings) acceptFailed(err error) {
	w.failingToAccept.Do(func() { w.log.Warn("accept failed, retrying", "error", err) })
}
