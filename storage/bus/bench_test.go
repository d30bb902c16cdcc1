package bus_test

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"

	"hark/storage"
	"hark/storage/bus"
)

// BenchmarkJob measures the way of one job from PublishJob to its handler.
func BenchmarkJob(b *testing.B) {
	e, err := bus.Serve(filepath.Join(b.TempDir(), "nats"), quiet())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	conn, err := bus.Connect(b.Context(), bus.Config{Embedded: e, Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, stop := context.WithCancel(b.Context())
	handled, done := make(chan string), make(chan error, 1)
	go func() {
		done <- conn.Consume(ctx, ctx, bus.ConsumeConfig{Kind: storage.Transcribe, Interactive: 1}, func(_ context.Context, d bus.Delivery) bus.Verdict {
			id := d.ID
			handled <- id
			return bus.Done()
		})
	}()
	var i int
	for b.Loop() {
		i++
		if err := conn.PublishJob(b.Context(), storage.JobRef{Kind: storage.Transcribe, ID: strconv.Itoa(i)}); err != nil {
			b.Fatal(err)
		}
		<-handled
	}
	stop()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}
