package confine

import (
	"cmp"
	"log/slog"
	"os"
	"testing"
	"time"
)

// plain runs for every test that sets nothing, so that this machine is checked
// once.
var plain = runner(Config{})

func runner(cfg Config) *Runner {
	cfg.FFmpeg, cfg.Timeout, cfg.Logger = "ffmpeg", 30*time.Minute, slog.New(slog.DiscardHandler)
	cfg.MemoryBytes = cmp.Or(cfg.MemoryBytes, 1<<30)
	return New(cfg)
}

func TestMain(m *testing.M) {
	Main()
	helperMain()
	os.Exit(m.Run())
}
