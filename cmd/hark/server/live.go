package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"syscall"
	"time"

	"hark/api/health"
	"hark/api/recorder"
	"hark/cmd/hark/config"
	"hark/media/whip"
	"hark/storage/spool"
	"hark/transcribe"
	"hark/transcribe/live"
)

// openRecorder opens what live recordings need, where this process answers
// requests: the spool, the port, and a recogniser for captions. Without a port it
// still finishes the recordings that were left behind.
func (p *Program) openRecorder(ctx context.Context) error {
	if p.cfg.Role == "worker" {
		return nil
	}
	tracks, err := spool.Open(spool.Config{
		Dir: filepath.Join(p.cfg.Data, "live"), Objects: p.blobs, Logger: p.log.With("part", "spool"),
	})
	if err != nil {
		return err
	}
	p.closers = append(p.closers, tracks.Close)
	deps := recorder.Deps{
		Spool: spoolTracks{tracks}, Records: recorder.Records{Access: p.db, Recordings: p.db, Abandoned: p.db}, Bus: p.bus, Agree: p.stores.Check,
		Registry: p.metrics, Logger: p.log.With("part", "live"),
	}
	if listeners := p.openListeners(); listeners != nil {
		deps.Live = listeners
	}
	if p.cfg.Live.Enabled() {
		if p.webrtc, err = p.openWebRTC(ctx); err != nil {
			return err
		}
		deps.WebRTC = p.webrtc
	}
	p.recorder, err = recorder.New(deps, recorder.Config{
		MaxDuration: p.cfg.MaxDuration, PerUser: p.cfg.Live.UserSessions, PerNode: p.cfg.Live.Sessions,
		Language: p.cfg.Transcriber.Language,
	})
	if err != nil {
		return err
	}
	p.closers = append(p.closers, p.abandonRecordings)
	return nil
}

// spoolTracks is a spool as the recorder asks for one.
type spoolTracks struct{ *spool.Spool }

// Create opens a track.
func (s spoolTracks) Create(ctx context.Context, id, key string, channels int) (recorder.Track, error) {
	track, err := s.Spool.Create(ctx, id, key, channels)
	if err != nil {
		return nil, err // not a track that is a nil pointer
	}
	return track, nil
}

// openListeners opens what hears people while they speak, or returns nil.
func (p *Program) openListeners() *live.Engine {
	engine, inProcess := p.engine.(transcribe.LiveEngine)
	if !inProcess || p.cfg.Live.Captions == config.Off {
		return nil
	}
	listeners := live.New(live.Config{Engine: engine, Logger: p.log.With("part", "captions")})
	p.closers = append(p.closers, func() error {
		listeners.Close()
		return nil
	})
	return listeners
}

// turnMargin is how much longer a credential for a relay is good than the
// longest recording: for connecting, and for clocks that differ.
const turnMargin = 15 * time.Minute

func (p *Program) openWebRTC(ctx context.Context) (*whip.Server, error) {
	c := p.cfg.Live
	servers, err := config.ParseICEServers(c.ICEServers, c.TURNSecret != "")
	if err != nil {
		return nil, err
	}
	tcp := c.TCP
	if tcp == config.Off {
		tcp = ""
	}
	server, err := whip.Listen(ctx, whip.Config{
		UDP: c.UDP, TCP: tcp, Public: c.Public, ICEServers: servers,
		// A relay is asked again for its credential while a recording lasts.
		TURNSecret: string(c.TURNSecret), TURNLife: p.cfg.MaxDuration + turnMargin,
		Logger: p.log.With("part", "webrtc"),
	})
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the port for live recordings is taken; set HARK_WEBRTC_UDP (now %s) or HARK_WEBRTC_TCP (now %s) to another, or to off: %w", c.UDP, c.TCP, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the port for live recordings (HARK_WEBRTC_UDP, HARK_WEBRTC_TCP): %w", err)
	}
	p.closers = append(p.closers, server.Close)
	if at, ok := server.Addr().(*net.UDPAddr); ok && at.IP.IsLoopback() && len(c.Public) == 0 && !loopbackURL(p.cfg.PublicURL) {
		p.log.WarnContext(ctx, "live recording can be reached from this machine only; set HARK_WEBRTC_UDP to an address that speakers reach, such as :8189", "addr", at.String())
	}
	return server, nil
}

// liveReady tells operators when speakers are not told all addresses that they
// could be: everything else goes on without.
func (p *Program) liveReady(context.Context) error {
	if err := p.webrtc.Ready(); err != nil {
		return health.Degraded("A name in HARK_WEBRTC_PUBLIC cannot be looked up; live recording may not be reached. It is tried again every 5 s.", err)
	}
	return nil
}

// loopbackURL reports whether an address, or an empty one, is this machine's.
func loopbackURL(address string) bool {
	u, err := url.Parse(address)
	if address == "" || err != nil || u.Hostname() == "localhost" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback()
}

// abandonRecordings closes the recorder with no time to finish anything; after
// an orderly Serve there is nothing left to finish.
func (p *Program) abandonRecordings() error {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errShutdown)
	_ = p.recorder.Close(ctx) // Serve has said what was left
	return nil
}

// endRecordings ends and finishes all recordings within the grace.
func (p *Program) endRecordings(grace context.Context) {
	if err := p.recorder.Close(grace); err != nil {
		p.log.WarnContext(grace, "not every live recording is finished", "error", err)
	}
}
