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
// changed. It is safe for concurrent use.
type meter struct {
	report func(fraction float64, stage string)

	mu       sync.Mutex
	fraction float64
	stage    string
	at       time.Time // of the last report
	told     float64
	toldName string
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
	m.stage = stage
	m.fraction = min(max(m.fraction, fraction), 1)
	now := time.Now()
	changed := m.stage != m.toldName || m.fraction-m.told >= meterStep
	if !changed || now.Sub(m.at) < meterEvery {
		return
	}
	m.at, m.told, m.toldName = now, m.fraction, m.stage
	m.report(m.fraction, m.stage)
}
