package intake

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// count makes the metrics, and registers them if there is a registry.
func (in *Intake) count() error {
	in.received = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "hark_http_received_audio_bytes_total",
		Help: "Bytes of request bodies that carried recordings, kept or not.",
	})
	inFlight := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "hark_http_uploads_in_flight",
		Help: "Recordings that are being sent.",
	}, func() float64 { return float64(in.gate.InUse()) })
	if in.Registry == nil {
		return nil
	}
	for _, c := range []prometheus.Collector{in.received, inFlight} {
		if err := in.Registry.Register(c); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}
