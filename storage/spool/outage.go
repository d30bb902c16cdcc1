package spool

import (
	"log/slog"
	"sync/atomic"
)

// outage counts the recordings that suffer from something, to say once that it
// began and once that it is over.
type outage struct{ suffering atomic.Int64 }

func (o *outage) begin(log *slog.Logger, message, id string, err error) {
	if o.suffering.Add(1) == 1 {
		log.Warn(message, "recording", id, "error", err)
	}
}

func (o *outage) end(log *slog.Logger, message string) {
	if o.suffering.Add(-1) == 0 {
		log.Info(message)
	}
}

// endFaults takes a recording that is over out of the outages. mu is held.
func (r *Recording) endFaults() {
	if r.fault != nil {
		r.fault = nil
		r.spool.diskFaults.suffering.Add(-1)
	}
	if r.pieces.faulty {
		r.pieces.faulty = false
		r.spool.storeFaults.suffering.Add(-1)
	}
}
