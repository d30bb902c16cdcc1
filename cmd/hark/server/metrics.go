package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/work"
)

// workMetrics counts what work costs.
type workMetrics struct {
	inWork   *prometheus.GaugeVec
	stages   *prometheus.HistogramVec
	attempts *prometheus.CounterVec
	realTime prometheus.Histogram
}

func newWorkMetrics(r prometheus.Registerer) *workMetrics {
	m := &workMetrics{
		inWork: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hark_jobs_in_work", Help: "Jobs that this process works on, by kind.",
		}, []string{"kind"}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hark_job_stage_seconds", Help: "Duration of one stage of the work on a message.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 13),
		}, []string{"stage"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hark_job_attempts_total", Help: "Attempts at jobs, by kind and by how they ended.",
		}, []string{"kind", "result"}),
		realTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hark_job_real_time_factor", Help: "Length of the sound divided by the duration of the work on it.",
			Buckets: []float64{0.25, 0.5, 1, 2, 4, 6, 8, 12, 16, 24, 32, 64},
		}),
	}
	r.MustRegister(m.inWork, m.stages, m.attempts, m.realTime)
	for _, kind := range storage.JobKinds() {
		m.inWork.WithLabelValues(string(kind)) // 0, before the first
	}
	return m
}

// Began counts a job that is taken.
func (m *workMetrics) Began(kind storage.JobKind) { m.inWork.WithLabelValues(string(kind)).Inc() }

// Left counts a job that is not worked on any more.
func (m *workMetrics) Left(kind storage.JobKind) { m.inWork.WithLabelValues(string(kind)).Dec() }

// Ended counts one attempt.
func (m *workMetrics) Ended(kind storage.JobKind, result work.Result, _ time.Duration) {
	m.attempts.WithLabelValues(string(kind), string(result)).Inc()
}

// Stage counts one stage.
func (m *workMetrics) Stage(name string, d time.Duration) {
	m.stages.WithLabelValues(name).Observe(d.Seconds())
}

// Ready counts a message that was made ready.
func (m *workMetrics) Ready(audio, wall time.Duration) {
	if wall > 0 {
		m.realTime.Observe(audio.Seconds() / wall.Seconds())
	}
}

// leaderMetric tells whether this process runs the maintenance tasks.
type leaderMetric struct{ prometheus.Gauge }

func newLeaderMetric(r prometheus.Registerer) leaderMetric {
	m := leaderMetric{prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "hark_maintenance_leader", Help: "1 when this process runs the maintenance tasks, which one of all does.",
	})}
	r.MustRegister(m)
	return m
}

func (m leaderMetric) set(leads bool) {
	m.Set(0)
	if leads {
		m.Set(1)
	}
}

// queueMetrics asks the records for the state of the queue when it is scraped.
type queueMetrics struct {
	db  *sqldb.DB
	log *slog.Logger
}

var (
	queueDepth = prometheus.NewDesc("hark_queue_depth", "Jobs that wait for a worker or are in work, by kind and priority.", []string{"kind", "priority", "state"}, nil)
	queueAge   = prometheus.NewDesc("hark_queue_oldest_seconds", "Age of the job that waits longest, by kind and priority; 0 when none waits.", []string{"kind", "priority"}, nil)
)

// Describe sends the metrics' descriptions.
func (q queueMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- queueDepth
	ch <- queueAge
}

// Collect asks, and leaves the metrics out when the records do not answer.
func (q queueMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	stats, err := q.db.QueueStats(ctx)
	if err != nil {
		q.log.WarnContext(ctx, "measuring job queue failed", "error", err)
		return
	}
	for _, s := range stats {
		kind, priority := string(s.Kind), s.Priority.String()
		ch <- prometheus.MustNewConstMetric(queueDepth, prometheus.GaugeValue, float64(s.Waiting), kind, priority, "waiting")
		ch <- prometheus.MustNewConstMetric(queueDepth, prometheus.GaugeValue, float64(s.Running), kind, priority, "running")
		ch <- prometheus.MustNewConstMetric(queueAge, prometheus.GaugeValue, s.OldestAge.Seconds(), kind, priority)
	}
}
