package listen

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	open         prometheus.Gauge
	refused      *prometheus.CounterVec
	stalled      prometheus.Counter
	acceptErrors prometheus.Counter
}

func newMetrics(registry *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		open: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hark_http_connections",
			Help: "Connections that are open.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hark_http_connections_refused_total",
			Help: "Connections closed at once, by the bound they were over: total or address.",
		}, []string{"reason"}),
		stalled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hark_http_connections_stalled_total",
			Help: "Connections reset because their reader took nothing of an answer for too long.",
		}),
		acceptErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hark_http_accept_errors_total",
			Help: "Connections that could not be accepted, such as for too many open files.",
		}),
	}
	for _, reason := range []string{reasonTotal, reasonAddress} {
		m.refused.WithLabelValues(reason)
	}
	if registry == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.open, m.refused, m.stalled, m.acceptErrors} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}
