package whip_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hark/media/whip"
	"hark/media/whip/whiptest"
)

// TestLoad measures what HARK_WHIP_LOAD sessions cost: the server here, the
// speakers in a process of their own.
//
//	HARK_WHIP_LOAD=300 go test -run 'TestLoad$' -v ./media/whip/ -cpuprofile /tmp/cpu
func TestLoad(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("HARK_WHIP_LOAD"))
	if err != nil {
		t.Skip("HARK_WHIP_LOAD does not say how many sessions to measure")
	}
	server := listen(t)
	sinks := new(recordings)
	url := endpoint(t, server, sinks.add)
	before := memory()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestLoadSpeakers$")
	cmd.Env = append(os.Environ(), "HARK_WHIP_URL="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var cpu time.Duration
	var began time.Time
	sent := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch line := lines.Text(); {
		case line == "speaking":
			cpu, began = cpuTime(), time.Now()
		case line == "spoken":
			took := time.Since(began)
			used := cpuTime() - cpu
			t.Logf("%d sessions: %.1f %% of a core, %d goroutines, %d kB a session",
				n, 100*used.Seconds()/took.Seconds(), runtime.NumGoroutine(), (memory()-before)>>10/n)
		case strings.HasPrefix(line, "sent "):
			sent, _ = strconv.Atoi(line[5:])
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	got, stats := 0, whip.Stats{}
	for _, sink := range sinks.take() {
		got += sink.count()
		s := sink.session.Stats()
		stats.Lost += s.Lost
		stats.Recovered += s.Recovered
		stats.Dropped += s.Dropped
		stats.Refused += s.Refused
	}
	t.Logf("%d packets of %d, %+v", got, sent, stats)
}

// TestLoadSpeakers is the other process of TestLoad.
func TestLoadSpeakers(t *testing.T) {
	url := os.Getenv("HARK_WHIP_URL")
	if url == "" {
		t.Skip("HARK_WHIP_URL is not set: TestLoad runs this")
	}
	n, _ := strconv.Atoi(os.Getenv("HARK_WHIP_LOAD"))
	defer http.DefaultClient.CloseIdleConnections()
	packets := tone(t, 50)
	for range 3 {
		packets = append(packets, packets...)
	}
	speakers := make([]*whiptest.Speaker, n)
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i := range speakers {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s, err := whiptest.Dial(ctx, whiptest.Config{URL: url})
			if err != nil {
				t.Error(err)
				return
			}
			speakers[i] = s
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	fmt.Println("speaking")
	for i, s := range speakers {
		wg.Go(func() {
			time.Sleep(time.Duration(i) * 20 * time.Millisecond / time.Duration(n))
			if err := s.Say(t.Context(), packets); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	fmt.Println("spoken")
	var sent int64
	for _, s := range speakers {
		sent += s.Sent()
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	fmt.Println("sent", sent)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory is the resident memory in bytes, where Linux tells.
func memory() int {
	runtime.GC()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}
