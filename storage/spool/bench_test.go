package spool_test

import (
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"hark/storage/spool"
)

// BenchmarkRecordings speaks in real time, 50 packets a second in each of many
// recordings, with the usual times and the embedded store. It reports the CPU
// that spool, pieces and store take together ("cores"; 1 is one core), that of
// each recording, and how long it took until what was said was on the disk.
func BenchmarkRecordings(b *testing.B) {
	for _, n := range []int{100, 500, 1000} {
		for _, stored := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/pieces=%v", n, stored), func(b *testing.B) {
				objects := newShop(b)
				objects.away.Store(!stored)
				s, err := spool.Open(spool.Config{Dir: b.TempDir(), Objects: objects, Logger: slog.New(slog.DiscardHandler)})
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				all := make([]*spool.Recording, n)
				for i := range all {
					all[i] = create(b, s, fmt.Sprint("r", i))
				}
				m := &meter{}
				m.speak(b, all, 6*time.Second) // until pieces flow
				before, start := cpu(), time.Now()
				m.delays = nil
				for b.Loop() {
					m.speak(b, all, 10*time.Second)
				}
				took := time.Since(start)
				cores := (cpu() - before).Seconds() / took.Seconds()
				b.ReportMetric(cores, "cores")
				b.ReportMetric(cores/float64(n)*1e6, "µs/s/recording")
				slices.Sort(m.delays)
				b.ReportMetric(float64(m.delays[len(m.delays)/2].Milliseconds()), "p50-ms-to-disk")
				b.ReportMetric(float64(m.delays[len(m.delays)*99/100].Milliseconds()), "p99-ms-to-disk")
				b.ReportMetric(float64(m.delays[len(m.delays)-1].Milliseconds()), "max-ms-to-disk")
				var mem runtime.MemStats
				runtime.ReadMemStats(&mem)
				b.ReportMetric(float64(mem.HeapInuse)/float64(n)/1024, "kB/recording")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// meter speaks, and watches when one in ten recordings has reached the disk.
type meter struct {
	n      int
	delays []time.Duration
	open   map[*spool.Recording][]time.Time // by recording, when each packet that is not kept yet was said
	kept   map[*spool.Recording]int64
}

func (m *meter) speak(b *testing.B, all []*spool.Recording, d time.Duration) {
	if m.open == nil {
		m.open, m.kept = map[*spool.Recording][]time.Time{}, map[*spool.Recording]int64{}
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range d / (20 * time.Millisecond) {
		p := packet(m.n)
		m.n++
		for i, r := range all {
			if err := r.Write(p); err != nil {
				b.Fatal(err)
			}
			if i%10 == 0 {
				m.watch(r)
			}
		}
		<-tick.C
	}
}

func (m *meter) watch(r *spool.Recording) {
	now := time.Now()
	said := append(m.open[r], now)
	for kept := r.Kept(); m.kept[r] < kept && len(said) > 0; said = said[1:] {
		m.kept[r] += 20
		m.delays = append(m.delays, now.Sub(said[0]))
	}
	m.open[r] = said
}

func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
