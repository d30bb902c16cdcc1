package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"hark/storage/reconcile"
)

// storeMetrics tell what the last sweep of the object store found.
type storeMetrics struct {
	orphans prometheus.Gauge
	unknown prometheus.Gauge
	held    prometheus.Gauge
	removed prometheus.Counter
}

func newStoreMetrics(r prometheus.Registerer) *storeMetrics {
	m := &storeMetrics{
		orphans: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hark_store_orphans", Help: "Objects that no record has, found by the last sweep of the object store.",
		}),
		unknown: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hark_store_unknown_recordings", Help: "Recordings that the database does not know, found by the last sweep: 'hark reindex' makes their records again.",
		}),
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hark_store_sweep_stopped", Help: "1 when the last sweep removed nothing because there are too many orphans, or because database and store do not belong together.",
		}),
		removed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hark_store_orphans_removed_total", Help: "Orphans that were moved aside, and pieces of whole recordings that were deleted.",
		}),
	}
	r.MustRegister(m.orphans, m.unknown, m.held, m.removed)
	return m
}

// forget has the metrics tell nothing: another node sweeps now.
func (m *storeMetrics) forget() {
	m.orphans.Set(0)
	m.unknown.Set(0)
	m.held.Set(0)
}

// swept notes what a sweep found and did.
func (m *storeMetrics) swept(done reconcile.Swept, err error) {
	m.removed.Add(float64(done.Removed))
	m.held.Set(0)
	if done.Held || err != nil {
		m.held.Set(1)
	}
	if err == nil {
		m.orphans.Set(float64(done.Orphans))
		m.unknown.Set(float64(done.Unknown))
	}
}
