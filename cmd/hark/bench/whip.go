package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/cmd/hark/client"
	"hark/media/whip/whiptest"
	"hark/transcribe/wer"
)

type whipCmd struct {
	Sessions []int         `default:"100,300,500,1000" help:"How many record at once, one measurement each."`
	For      time.Duration `default:"30s" help:"How long they record once all are connected."`
	Mediamtx string        `name:"mediamtx" type:"existingfile" placeholder:"FILE" help:"Binary of mediamtx v1.21.0, to be measured beside Hark: the same sessions, recorded as fMP4 in parts of a second."`
	Keep     bool          `help:"Keep the temporary folders, and say where they are."`
}

// Help says what is measured.
func (b *whipCmd) Help() string {
	return `Every session speaks Opus, 50 packets a second at about 32 kbit/s. The speakers run in this process, whose cost
is told apart; the server runs in its own. Memory is what the server has in all, the median of what it had once a second; a
session's share is what that is more than when idle. It is not all in use: Go keeps for a while what handshakes left behind,
and as much again as is in use between two collections, so that the share falls the more sessions there are. Lost packets are
those that were sent and are not in the recording; of mediamtx's recordings ffprobe counts them, if it is there (it leaves the
last packet of each session out, whose length no next one tells). Broken
sessions are those that the server had ended by itself when their speaker came to end them.`
}

// whipServer is a server under measurement.
type whipServer struct {
	name     string
	pid      int
	endpoint func(session int) string
	token    string
	settle   func() error                                                               // makes recordings whose speakers are gone whole; nil: they become so
	recorded func(ctx context.Context, session int, s *whiptest.Speaker) (int64, error) // packets; nil: not known
	stop     func()
}

// Run measures each server with each number of sessions, from a fresh start.
func (b *whipCmd) Run(ctx context.Context) error {
	speech, err := hum()
	if err != nil {
		return err
	}
	const row = "%9s%10s%14s%16s%9s%11s%14s%9s%17s\n" // printed as they come, which a tabwriter could not align
	fmt.Printf(row, "server", "sessions", "server's CPU", "speakers' CPU", "memory", "a session", "packets sent", "lost", "broken sessions")
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
			if server.recorded != nil {
				lost = fmt.Sprint(cost.lost)
			}
			share := float64(cost.memory-cost.idle) / float64(sessions) / (1 << 20)
			fmt.Printf(row, server.name, fmt.Sprint(sessions), fmt.Sprintf("%.0f %%", 100*cost.cpu), fmt.Sprintf("%.0f %%", 100*cost.clientCPU),
				fmt.Sprintf("%d MB", cost.memory>>20), fmt.Sprintf("%.2f MB", share), fmt.Sprint(cost.sent), lost, fmt.Sprint(cost.broken))
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
func (b *whipCmd) startHark(ctx context.Context, sessions int) (*whipServer, error) {
	config := config{Models: os.Getenv("HARK_MODELS"), Model: "moonshine-base-en", Keep: b.Keep}
	if config.Models == "" {
		config.Models = "./data/models"
	}
	target, end, err := config.start(ctx, "HARK_CAPTIONS=off", "HARK_ENGINE=openai", "HARK_OPENAI_URL=http://127.0.0.1:9",
		fmt.Sprintf("HARK_WEBRTC_SESSIONS=%d", sessions), fmt.Sprintf("HARK_WEBRTC_USER_SESSIONS=%d", sessions))
	if err != nil {
		return nil, err
	}
	return &whipServer{
		name: "hark", pid: target.hark.Cmd.Process.Pid, token: target.Client.Token, stop: end,
		endpoint: func(int) string { return target.Client.Base + "/conversations/" + target.Conversation.ID + "/whip" },
		recorded: func(ctx context.Context, _ int, s *whiptest.Speaker) (int64, error) {
			ms, err := awaitLength(ctx, target.Client, s.Header().Get("Hark-Message-Id"))
			return (ms + 10) / 20, err
		},
	}, nil
}

// whipCost is what one measurement found.
type whipCost struct {
	cpu, clientCPU float64 // cores
	idle, memory   int64   // of the server, in bytes: before and while recording
	sent, lost     int64   // packets
	broken         int     // sessions that the server ended by itself
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
			Wait(talk, time.Duration(i)*20*time.Millisecond/time.Duration(sessions))
			for talk.Err() == nil {
				if err := s.Say(talk, speech); err != nil && talk.Err() == nil {
					failed.Store(&err)
					return
				}
			}
		})
	}
	Wait(ctx, length/5) // the beginning is not what is measured
	server0, self0, began := mustUsage(server.pid), mustUsage(os.Getpid()), time.Now()
	cost.memory = memoryDuring(ctx, server.pid, length)
	server1, self1, took := mustUsage(server.pid), mustUsage(os.Getpid()), time.Since(began)
	stop()
	talking.Wait()
	if err := failed.Load(); err != nil {
		return cost, *err
	}
	cost.cpu = (server1.cpu - server0.cpu).Seconds() / took.Seconds()
	cost.clientCPU = (self1.cpu - self0.cpu).Seconds() / took.Seconds()
	return cost, cost.settle(ctx, server, speakers)
}

// memoryDuring is the median of what a process has, once a second, while it
// waits for so long.
func memoryDuring(ctx context.Context, pid int, length time.Duration) int64 {
	var samples []int64
	for end := time.Now().Add(length); ctx.Err() == nil && time.Now().Before(end); {
		Wait(ctx, min(time.Second, time.Until(end)))
		samples = append(samples, mustUsage(pid).memory)
	}
	return wer.Quantile(samples, 0.5)
}

// settle ends the sessions and counts what was sent and what was recorded.
// Those that it ended are nil in speakers.
func (c *whipCost) settle(ctx context.Context, server *whipServer, speakers []*whiptest.Speaker) error {
	ended := slices.Clone(speakers)
	var mu sync.Mutex
	err := atOnce(speakers, func(i int, s *whiptest.Speaker) error {
		var refused *whiptest.StatusError
		err := s.Close(ctx)
		broken := errors.As(err, &refused) && refused.Status == http.StatusNotFound
		if err != nil && !broken {
			return err
		}
		speakers[i] = nil
		mu.Lock()
		defer mu.Unlock()
		c.sent += s.Sent()
		if broken {
			c.broken++
		}
		return nil
	})
	if err == nil && server.settle != nil {
		err = server.settle()
	}
	if err != nil || server.recorded == nil {
		return err
	}
	return atOnce(ended, func(i int, s *whiptest.Speaker) error {
		recorded, err := server.recorded(ctx, i, s)
		mu.Lock()
		defer mu.Unlock()
		c.lost += max(0, s.Sent()-recorded)
		return err
	})
}

// atOnce does something with all speakers, a few at a time.
func atOnce(speakers []*whiptest.Speaker, do func(i int, s *whiptest.Speaker) error) error {
	var group errgroup.Group
	group.SetLimit(connectAtOnce)
	for i, s := range speakers {
		group.Go(func() error { return do(i, s) })
	}
	return group.Wait()
}

// awaitLength waits for a message to be kept and returns its length in
// milliseconds.
func awaitLength(ctx context.Context, c *client.Client, id string) (int64, error) {
	for {
		var msg client.Message
		err := c.Get(ctx, "/messages/"+id, nil, &msg)
		if err != nil || msg.DurationMS > 0 {
			return msg.DurationMS, err
		}
		if Wait(ctx, 20*time.Millisecond); ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
	}
}

func dialAll(ctx context.Context, server *whipServer, sessions int) ([]*whiptest.Speaker, error) {
	speakers := make([]*whiptest.Speaker, sessions)
	return speakers, atOnce(speakers, func(i int, _ *whiptest.Speaker) (err error) {
		speakers[i], err = whiptest.Dial(ctx, whiptest.Config{URL: server.endpoint(i), Token: server.token})
		return err
	})
}

// Wait waits for so long, or until ctx ends.
func Wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
