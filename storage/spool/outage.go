package spool

import (
	"log/slog"
	"sync/atomic"
)

// outage counts the recordings that one of the places where they are kept does
// not take, to say once that this began and once that it is over.
type outage struct {
	place     string
	log       *slog.Logger
	suffering atomic.Int64
}

func (o *outage) begin(id string, err error) {
	if o.suffering.Add(1) == 1 {
		o.log.Warn("what is being spoken is kept in one place less; it is tried again", "place", o.place, "recording", id, "error", err)
	}
}

func (o *outage) end() {
	if o.suffering.Add(-1) == 0 {
		o.log.Info("what is being spoken is kept there again", "place", o.place)
	}
}

// endFaults takes a recording that is over out of the outages. mu is held.
func (r *Recording) endFaults() {
	if r.fault != nil {
		r.fault = nil
		r.spool.disk.suffering.Add(-1)
	}
	if r.pieces.faulty {
		r.pieces.faulty = false
		r.spool.store.suffering.Add(-1)
	}
}
