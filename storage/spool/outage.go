package spool

import (
	"log/slog"
	"sync/atomic"
)

// outage counts the recordings that one of the two places where they are kept
// refuses, so that its beginning and its end are each logged once.
type outage struct {
	place    string
	log      *slog.Logger
	affected atomic.Int64
}

func (o *outage) begin(id string, err error) {
	if o.affected.Add(1) == 1 {
		o.log.Warn("spool write failed, retrying", "place", o.place, "recording", id, "error", err)
	}
}

func (o *outage) end() {
	if o.affected.Add(-1) == 0 {
		o.log.Info("spool writes succeed again", "place", o.place)
	}
}

// endFaults takes a recording that is over out of the outages. mu is held.
func (r *Recording) endFaults() {
	if r.fault != nil {
		r.fault = nil
		r.spool.disk.affected.Add(-1)
	}
	if r.pieces.faulty {
		r.pieces.faulty = false
		r.spool.store.affected.Add(-1)
	}
}
