package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/transcribe"
	"hark/transcribe/pipeline"
)

// workMetrics counts what work costs.
type workMetrics struct {
	inWork   prometheus.Gauge
	stages   *prometheus.HistogramVec
	attempts *prometheus.CounterVec
	realTime prometheus.Histogram
}

func newWorkMetrics(r prometheus.Registerer) *workMetrics {
	m := &workMetrics{
		inWork: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hark_jobs_in_work", Help: "Messages that this process works on.",
		}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hark_job_stage_seconds", Help: "Duration of one stage of the work on a message.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 13),
		}, []string{"stage"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hark_job_attempts_total", Help: "Attempts at the work on a message, by how they ended.",
		}, []string{"result"}),
		realTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hark_job_real_time_factor", Help: "Length of the sound divided by the duration of the work on it.",
			Buckets: []float64{0.25, 0.5, 1, 2, 4, 6, 8, 12, 16, 24, 32, 64},
		}),
	}
	r.MustRegister(m.inWork, m.stages, m.attempts, m.realTime)
	return m
}

// Stage counts one stage.
func (m *workMetrics) Stage(name string, d time.Duration) {
	m.stages.WithLabelValues(name).Observe(d.Seconds())
}

// Done counts one attempt.
func (m *workMetrics) Done(audio, wall time.Duration, result pipeline.Result) {
	m.attempts.WithLabelValues(string(result)).Inc()
	if result == pipeline.Ready && wall > 0 {
		m.realTime.Observe(audio.Seconds() / wall.Seconds())
	}
}

// queueMetrics asks the records for the state of the queue when it is scraped.
type queueMetrics struct {
	db  *sqldb.DB
	log *slog.Logger
}

var (
	queueDepth = prometheus.NewDesc("hark_queue_depth", "Messages that wait for a worker or are in work.", []string{"priority", "state"}, nil)
	queueAge   = prometheus.NewDesc("hark_queue_oldest_seconds", "Age of the message that waits longest; 0 when none waits.", []string{"priority"}, nil)
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
		q.log.WarnContext(ctx, "queue not measured", "error", err)
		return
	}
	byPriority := map[transcribe.Priority]storage.QueueStats{}
	for _, s := range stats {
		byPriority[s.Priority] = s
	}
	for priority, name := range map[transcribe.Priority]string{transcribe.Interactive: "interactive", transcribe.Bulk: "bulk"} {
		s := byPriority[priority]
		ch <- prometheus.MustNewConstMetric(queueDepth, prometheus.GaugeValue, float64(s.Waiting), name, "waiting")
		ch <- prometheus.MustNewConstMetric(queueDepth, prometheus.GaugeValue, float64(s.Running), name, "running")
		ch <- prometheus.MustNewConstMetric(queueAge, prometheus.GaugeValue, s.OldestAge.Seconds(), name)
	}
}
