package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/media/whip/whiptest"
)

type benchWHIPCmd struct {
	Sessions []int         `default:"100,300,500,1000" help:"How many record at once, one measurement each."`
	For      time.Duration `default:"30s" help:"How long they record once all are connected."`
	Mediamtx string        `name:"mediamtx" type:"existingfile" placeholder:"FILE" help:"Binary of mediamtx v1.21.0, to be measured beside Hark: the same sessions, recorded as fMP4 in parts of a second."`
	Keep     bool          `help:"Keep the temporary folders, and say where they are."`
}

// Help says what is measured.
func (b *benchWHIPCmd) Help() string {
	return `Every session speaks Opus, 50 packets a second at about 32 kbit/s. The speakers run in this process, whose cost
is told apart; the server runs in its own. Memory is what the server has in all; a session's share is what it has more than
when idle. Lost packets are those that were sent and are not in the recording.`
}

// whipServer is a server under measurement.
type whipServer struct {
	name     string
	pid      int
	endpoint func(session int) string
	token    string
	lengthMS func(ctx context.Context, s *whiptest.Speaker) (int64, error) // of what was recorded; nil: not known
	stop     func()
}

// Run measures each server with each number of sessions, from a fresh start.
func (b *benchWHIPCmd) Run(ctx context.Context) error {
	speech, err := hum()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "server\tsessions\tserver's CPU\tspeakers' CPU\tmemory\ta session\tpackets sent\tlost\t")
	servers := []func(context.Context, int) (*whipServer, error){b.startHark}
	if b.Mediamtx != "" {
		servers = append(servers, b.startMediamtx)
	}
	for _, sessions := range b.Sessions {
		for _, start := range servers {
			server, err := start(ctx, sessions)
			if err != nil {
				return err
			}
			cost, err := measureWHIP(ctx, server, sessions, b.For, speech)
			server.stop()
			if err != nil {
				return fmt.Errorf("%s, %d sessions: %w", server.name, sessions, err)
			}
			lost := "not told"
			if server.lengthMS != nil {
				lost = fmt.Sprint(cost.lost)
			}
			fmt.Fprintf(w, "%s\t%d\t%.0f %%\t%.0f %%\t%d MB\t%.2f MB\t%d\t%s\t\n", server.name, sessions, 100*cost.cpu, 100*cost.clientCPU,
				cost.memory>>20, float64(cost.memory-cost.idle)/float64(sessions)/(1<<20), cost.sent, lost)
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// hum is ten seconds of something for Opus to encode at the rate of speech.
func hum() ([][]byte, error) {
	corpus := make([]float32, 10*16000)
	var state uint32 = 1
	for i := range corpus {
		state = state*1664525 + 1013904223
		noise := float32(int32(state)) / (1 << 31)
		corpus[i] = 0.1*noise*float32(i%8000)/8000 + 0.2*float32(i%100)/100
	}
	return whiptest.Encode(corpus, 16000)
}

// startHark starts a Hark that only records: its transcriber is out of reach, so
// that what is to be heard of all the recordings later costs nothing.
func (b *benchWHIPCmd) startHark(ctx context.Context, sessions int) (*whipServer, error) {
	config := benchConfig{Models: os.Getenv("HARK_MODELS"), Model: "moonshine-base-en", Keep: b.Keep}
	if config.Models == "" {
		config.Models = "./data/models"
	}
	target, end, err := config.start(ctx, "HARK_CAPTIONS=off", "HARK_ENGINE=openai", "HARK_OPENAI_URL=http://127.0.0.1:9",
		fmt.Sprintf("HARK_WEBRTC_SESSIONS=%d", sessions), fmt.Sprintf("HARK_WEBRTC_USER_SESSIONS=%d", sessions))
	if err != nil {
		return nil, err
	}
	return &whipServer{
		name: "hark", pid: target.hark.cmd.Process.Pid, token: target.client.token, stop: end,
		endpoint: func(int) string { return target.client.base + "/conversations/" + target.conversation.ID + "/whip" },
		lengthMS: func(ctx context.Context, s *whiptest.Speaker) (int64, error) {
			var msg message
			err := target.client.get(ctx, "/messages/"+s.Header().Get("Hark-Message-Id"), nil, &msg)
			return msg.DurationMS, err
		},
	}, nil
}

const mediamtxConfig = `logLevel: error
rtsp: no
rtmp: no
hls: no
srt: no
moq: no
webrtc: yes
webrtcAddress: 127.0.0.1:%d
webrtcLocalUDPAddress: 127.0.0.1:%d
webrtcIPsFromInterfaces: no
webrtcAdditionalHosts: [127.0.0.1]
pathDefaults:
  record: yes
  recordPath: %s/%%path/%%s-%%f
  recordFormat: fmp4
  recordPartDuration: 1s
paths:
  all_others:
`

// startMediamtx starts mediamtx over a folder of its own.
func (b *benchWHIPCmd) startMediamtx(ctx context.Context, _ int) (*whipServer, error) {
	dir, err := os.MkdirTemp("", "hark-bench-mediamtx-")
	if err != nil {
		return nil, err
	}
	web, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "mediamtx.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, mediamtxConfig, web, web, dir), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, b.Mediamtx, file)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start mediamtx: %w", err)
	}
	stop := func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if !b.Keep {
			os.RemoveAll(dir)
		}
	}
	base := fmt.Sprintf("http://127.0.0.1:%d", web)
	if err := awaitHTTP(ctx, base); err != nil {
		stop()
		return nil, fmt.Errorf("mediamtx: %w", err)
	}
	return &whipServer{
		name: "mediamtx", pid: cmd.Process.Pid, stop: stop,
		endpoint: func(session int) string { return fmt.Sprintf("%s/speaker%d/whip", base, session) },
	}, nil
}

func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// awaitHTTP waits until something answers.
func awaitHTTP(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			return resp.Body.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("did not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// whipCost is what one measurement found.
type whipCost struct {
	cpu, clientCPU float64 // cores
	idle, memory   int64   // of the server, in bytes: before and while recording
	sent, lost     int64   // packets
}

// connectAtOnce bounds handshakes: it is recording that is measured.
const connectAtOnce = 8

// measureWHIP connects the sessions, has all speak for so long, and ends them.
func measureWHIP(ctx context.Context, server *whipServer, sessions int, length time.Duration, speech [][]byte) (whipCost, error) {
	var cost whipCost
	before, err := usageOf(server.pid)
	if err != nil {
		return cost, err
	}
	cost.idle = before.memory
	speakers, err := dialAll(ctx, server, sessions)
	defer func() {
		for _, s := range speakers {
			if s != nil {
				s.Vanish()
			}
		}
	}()
	if err != nil {
		return cost, err
	}

	talk, stop := context.WithCancel(ctx)
	defer stop()
	var talking sync.WaitGroup
	var failed atomic.Pointer[error]
	for i, s := range speakers {
		talking.Go(func() {
			// Spread over a packet's time, as people are.
			wait(talk, time.Duration(i)*20*time.Millisecond/time.Duration(sessions))
			for talk.Err() == nil {
				if err := s.Say(talk, speech); err != nil && talk.Err() == nil {
					failed.Store(&err)
					return
				}
			}
		})
	}
	wait(ctx, length/5) // the beginning is not what is measured
	server0, self0, began := mustUsage(server.pid), mustUsage(os.Getpid()), time.Now()
	wait(ctx, length)
	server1, self1, took := mustUsage(server.pid), mustUsage(os.Getpid()), time.Since(began)
	stop()
	talking.Wait()
	if err := failed.Load(); err != nil {
		return cost, *err
	}
	cost.cpu = (server1.cpu - server0.cpu).Seconds() / took.Seconds()
	cost.clientCPU = (self1.cpu - self0.cpu).Seconds() / took.Seconds()
	cost.memory = server1.memory
	return cost, cost.settle(ctx, server, speakers)
}

// settle ends the sessions and counts what was sent and what was recorded.
// Those that it ended are nil in speakers.
func (c *whipCost) settle(ctx context.Context, server *whipServer, speakers []*whiptest.Speaker) error {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(connectAtOnce)
	for i, s := range speakers {
		group.Go(func() error {
			if err := s.Close(ctx); err != nil {
				return err
			}
			speakers[i] = nil
			recorded := s.Sent()
			if server.lengthMS != nil {
				var err error
				if recorded, err = recordedPackets(ctx, server, s); err != nil {
					return err
				}
			}
			mu.Lock()
			defer mu.Unlock()
			c.sent += s.Sent()
			c.lost += max(0, s.Sent()-recorded)
			return nil
		})
	}
	return group.Wait()
}

// recordedPackets waits for the message to be kept and counts what is in it.
func recordedPackets(ctx context.Context, server *whipServer, s *whiptest.Speaker) (int64, error) {
	for {
		ms, err := server.lengthMS(ctx, s)
		if err != nil || ms > 0 {
			return (ms + 10) / 20, err
		}
		if wait(ctx, 20*time.Millisecond); ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
	}
}

func dialAll(ctx context.Context, server *whipServer, sessions int) ([]*whiptest.Speaker, error) {
	speakers := make([]*whiptest.Speaker, sessions)
	var group errgroup.Group
	group.SetLimit(connectAtOnce)
	for i := range speakers {
		group.Go(func() (err error) {
			speakers[i], err = whiptest.Dial(ctx, whiptest.Config{URL: server.endpoint(i), Token: server.token})
			return err
		})
	}
	return speakers, group.Wait()
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// usage is what a process has used.
type usage struct {
	cpu    time.Duration // of all its threads, since it began
	memory int64         // resident now, in bytes
}

// mustUsage is usageOf of a process that was there a moment ago; one that is
// not has used nothing more.
func mustUsage(pid int) usage {
	u, _ := usageOf(pid) // the speakers notice that it is gone
	return u
}

// usageOf reads a process's costs from Linux.
func usageOf(pid int) (usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}, fmt.Errorf("read a process's costs: %w", err)
	}
	// The name, in brackets, may hold anything; what follows is numbers.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 22 {
		return usage{}, fmt.Errorf("read a process's costs: %d fields", len(fields))
	}
	var user, system, pages int64
	for _, f := range []struct {
		to   *int64
		text string
	}{{&user, fields[11]}, {&system, fields[12]}, {&pages, fields[21]}} {
		if _, err := fmt.Sscan(f.text, f.to); err != nil {
			return usage{}, fmt.Errorf("read a process's costs: %w", err)
		}
	}
	const tick = 10 * time.Millisecond // USER_HZ, which is 100 on every Linux
	return usage{cpu: time.Duration(user+system) * tick, memory: pages * int64(os.Getpagesize())}, nil
}
