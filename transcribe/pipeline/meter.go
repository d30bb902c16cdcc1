package pipeline

import (
	"context"
	"sync"
	"time"
)

// The stages of the work, as people see them beside the progress and metrics
// name them.
const (
	fetching  = "fetching"
	decoding  = "decoding"
	analysing = "analysing" // for metrics only: it happens while decoding
	listening = "listening"
	rendering = "rendering"
	saving    = "saving"
)

// How the work is divided on the way from 0 to 1. Decoding takes next to
// nothing beside listening, which knows its length only when decoding is over.
const (
	fetchedAt = 0.05
	heardAt   = 0.97
)

const (
	meterEvery = 500 * time.Millisecond // the shortest time between two reports
	meterStep  = 0.01                   // the smallest change worth a report
)

// meter passes progress on: never backwards, seldom, and only when something
// changed. It is safe for concurrent use, and nobody waits for a slow listener:
// while a report is under way, what happens meanwhile is left out.
type meter struct {
	report func(fraction float64, stage string)

	mu            sync.Mutex
	fraction      float64
	reported      float64 // fraction and stage of the last report, and when it was
	reportedStage string
	reportedAt    time.Time
	reporting     *routine // nil before the first report
	stopped       bool
}

// newMeter makes the meter of an attempt, which reports to the worker's
// progress.
func (a *attempt) newMeter(ctx context.Context) *meter {
	return &meter{report: func(fraction float64, stage string) {
		a.Progress.Progress(ctx, a.task, fraction, stage)
	}}
}

// move says that the work is in a stage and done up to fraction at least.
func (m *meter) move(stage string, fraction float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fraction = min(max(m.fraction, fraction), 1)
	changed := stage != m.reportedStage || m.fraction-m.reported >= meterStep
	busy := m.reporting != nil && !m.reporting.isDone()
	now := time.Now()
	if m.stopped || busy || !changed || now.Sub(m.reportedAt) < meterEvery {
		return
	}
	m.reported, m.reportedStage, m.reportedAt = m.fraction, stage, now
	fraction = m.fraction
	m.reporting = start(func() error {
		m.report(fraction, stage)
		return nil
	})
}

// stop ends all reports, and waits for one that is under way. Stopping again
// does nothing.
func (m *meter) stop() {
	m.mu.Lock()
	m.stopped = true
	reporting := m.reporting
	m.mu.Unlock()
	if reporting != nil {
		reporting.wait() //nolint:errcheck // a report that could not be made is no failure
	}
}
