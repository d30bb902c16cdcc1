package recorder

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hark/media/whip"
)

// metrics counts live recordings.
type metrics struct {
	ended      *prometheus.CounterVec
	toReady    prometheus.Histogram
	captions   *prometheus.CounterVec
	delay      *prometheus.HistogramVec
	transcript *prometheus.CounterVec
	packets    *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, d *registry) (*metrics, error) {
	m := &metrics{
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hark_live_recordings_ended_total", Help: "Live recordings by why they ended, and whether they were finished or left for later.",
		}, []string{"reason", "result"}),
		toReady: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hark_live_finish_seconds", Help: "From the end of a live recording to its commit.",
			Buckets: prometheus.ExponentialBuckets(0.02, 2, 12),
		}),
		captions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hark_live_captions_total", Help: "Captions made while somebody spoke.",
		}, []string{"kind"}),
		delay: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hark_live_caption_delay_seconds", Help: "From the moment that a caption's last word was said to the caption.",
			Buckets: prometheus.ExponentialBuckets(0.05, 1.7, 12),
		}, []string{"kind"}),
		transcript: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hark_live_transcripts_total", Help: "Live transcripts by quality; poor ones are made again by the job.",
		}, []string{"quality"}),
		packets: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hark_live_packets_total", Help: "Packets of live recordings that ended, by what became of them.",
		}, []string{"fate"}),
	}
	speaking := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "hark_live_sessions", Help: "Live recordings whose speaker is connected or awaited.",
	}, func() float64 { return float64(d.count().speaking) })
	finishing := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "hark_live_finishing", Help: "Live recordings that ended and are not committed yet.",
	}, func() float64 { return float64(d.count().finishing) })
	spool := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "hark_live_spool_behind_seconds", Help: "The most sound of one live recording that is not on the disk yet.",
	}, func() float64 { return behind(d).Seconds() })
	for _, c := range []prometheus.Collector{m.ended, m.toReady, m.captions, m.delay, m.transcript, m.packets, speaking, finishing, spool} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// behind is how far the disk is behind the speaker who is worst off.
func behind(d *registry) time.Duration {
	most := int64(0)
	for _, rec := range d.speakers() {
		most = max(most, rec.track.Length()-rec.track.Kept())
	}
	return time.Duration(most) * time.Millisecond
}

// finished counts a recording that was committed, or left when err is not nil.
func (m *metrics) finished(reason whip.Reason, err error, took time.Duration) {
	result := "finished"
	if err != nil {
		result = "left"
	} else {
		m.toReady.Observe(took.Seconds())
	}
	m.ended.WithLabelValues(string(reason), result).Inc()
}

func (m *metrics) caption(final bool, delay time.Duration) {
	kind := "partial"
	if final {
		kind = "final"
	}
	m.captions.WithLabelValues(kind).Inc()
	m.delay.WithLabelValues(kind).Observe(delay.Seconds())
}

func (m *metrics) heard(poor bool) {
	quality := "good"
	if poor {
		quality = "poor"
	}
	m.transcript.WithLabelValues(quality).Inc()
}

// came counts what came of a session.
func (m *metrics) came(taken int64, s whip.Stats) {
	for fate, n := range map[string]int64{
		"taken": taken, "lost": s.Lost, "recovered": s.Recovered, "dropped": s.Dropped, "refused": s.Refused,
	} {
		m.packets.WithLabelValues(fate).Add(float64(n))
	}
}
