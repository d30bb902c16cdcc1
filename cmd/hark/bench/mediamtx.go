package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"hark/media/whip/whiptest"
)

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
func (b *whipCmd) startMediamtx(ctx context.Context, _ int) (*whipServer, error) {
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
		_ = cmd.Wait() // it may have ended by settle
		if !b.Keep {
			os.RemoveAll(dir)
		}
	}
	base := fmt.Sprintf("http://127.0.0.1:%d", web)
	if err := awaitHTTP(ctx, base); err != nil {
		stop()
		return nil, fmt.Errorf("mediamtx: %w", err)
	}
	server := &whipServer{
		name: "mediamtx", pid: cmd.Process.Pid, stop: stop,
		endpoint: func(session int) string { return fmt.Sprintf("%s/speaker%d/whip", base, session) },
		settle: func() error {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				return fmt.Errorf("stop mediamtx: %w", err)
			}
			_ = cmd.Wait() // what matters is in its files
			return nil
		},
	}
	if ffprobe, err := exec.LookPath("ffprobe"); err == nil {
		server.recorded = func(ctx context.Context, session int, _ *whiptest.Speaker) (int64, error) {
			return countPackets(ctx, ffprobe, filepath.Join(dir, fmt.Sprintf("speaker%d", session)))
		}
	}
	return server, nil
}

// countPackets counts the packets in all files of a folder, which may be
// missing.
func countPackets(ctx context.Context, ffprobe, dir string) (packets int64, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		out, err := exec.CommandContext(ctx, ffprobe, "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", file).Output()
		if err != nil {
			return 0, fmt.Errorf("count packets of %s: %w", file, err)
		}
		n, err := strconv.ParseInt(strings.Trim(string(out), ", \n"), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("count packets of %s: %w", file, err)
		}
		packets += n
	}
	return packets, nil
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
