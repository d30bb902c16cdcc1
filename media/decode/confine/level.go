package confine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"time"

	"hark/media/internal/childlog"
)

// ErrNotConfined is the error of a [Runner] that requires full confinement, on a
// machine that does not offer it.
var ErrNotConfined = errors.New("this machine does not confine decoding fully")

// Config says what to run, and within what limits. All but RequireFull is
// required.
type Config struct {
	FFmpeg      string        // path or name of the program
	Timeout     time.Duration // most processor time of a child
	MemoryBytes int64         // most address space of a child, unless it is given another
	RequireFull bool          // run nothing, with ErrNotConfined, unless it is confined fully
	Logger      *slog.Logger
}

// Runner runs children. It is safe for concurrent use.
type Runner struct {
	cfg        Config
	log        *slog.Logger
	isolations []isolation // to try, the best first
	reached    reached
}

// New makes a [Runner]. The program that uses it calls [Main] first thing in
// its main.
func New(cfg Config) *Runner {
	return &Runner{cfg: cfg, log: cfg.Logger, isolations: isolations}
}

// Level is what keeps a child that decodes foreign bytes away from the rest of
// this machine, as a check at the start of one found it.
type Level struct {
	EmptyRoot    bool     // it sees no file but the program, libraries and its input
	OwnProcesses bool     // it sees no other process
	OwnNetwork   bool     // it has no network, not even the machine's own loopback
	OwnUsers     bool     // its user has no privileges outside its namespace; not needed for full confinement
	SystemCalls  bool     // it can make the listed system calls only
	Landlock     int      // version of the kernel's Landlock that bounds its files; 0 for none
	Allowed      []string // what it could do though nothing should let it
	FFmpeg       string   // the version that ffmpeg printed when confined
}

// Full reports whether everything holds that Hark can do on any system.
func (c Level) Full() bool { return len(c.missing()) == 0 && len(c.Allowed) == 0 }

func (c Level) missing() []string {
	var missing []string
	for _, part := range []struct {
		there bool
		name  string
	}{
		{c.EmptyRoot, "empty root"},
		{c.OwnProcesses, "own processes"},
		{c.OwnNetwork, "own network"},
		{c.Landlock > 0, "Landlock"},
		{c.SystemCalls, "system call filter"},
	} {
		if !part.there {
			missing = append(missing, part.name)
		}
	}
	return missing
}

// String says what was reached and what is missing, for logs and operators.
func (c Level) String() string {
	if c.Full() {
		return fmt.Sprintf("full (empty root, own processes, own network, Landlock %d, system call filter)", c.Landlock)
	}
	s := "partial"
	if missing := c.missing(); len(missing) > 0 {
		s += ": without " + strings.Join(missing, ", ")
	}
	if len(c.Allowed) > 0 {
		s += "; a child can " + strings.Join(c.Allowed, ", ")
	}
	return s
}

// reached remembers with which isolation children are started.
type reached struct {
	mu        sync.Mutex
	known     bool
	isolation isolation
	level     Level
}

// Level finds out, once, how far this machine lets children be confined: it
// starts children that try what they should not be able to do, with the best
// isolation first, and ffmpeg itself with the best that works. The error says
// why ffmpeg does not start, or is [ErrNotConfined]. Run asks for it first; a
// program that asks at its start tells its operator before the first clip.
func (r *Runner) Level(ctx context.Context) (Level, error) {
	_, level, err := r.confine(ctx)
	return level, err
}

func (r *Runner) confine(ctx context.Context) (isolation, Level, error) {
	r.reached.mu.Lock()
	defer r.reached.mu.Unlock()
	known := &r.reached
	if !known.known {
		var err error
		if known.isolation, known.level, err = r.tryAll(ctx); err != nil {
			return isolation{}, Level{}, err
		}
		known.known = true
		if known.level.Full() {
			r.log.InfoContext(ctx, "decoding is confined", "level", known.level.String(), "ffmpeg", known.level.FFmpeg)
		} else {
			r.log.WarnContext(ctx, "decoding is not fully confined", "level", known.level.String(), "ffmpeg", known.level.FFmpeg)
		}
	}
	if r.cfg.RequireFull && !known.level.Full() {
		return isolation{}, known.level, fmt.Errorf("%w: %s", ErrNotConfined, known.level)
	}
	return known.isolation, known.level, nil
}

// tryAll returns the best isolation with which a child starts and ffmpeg runs.
func (r *Runner) tryAll(ctx context.Context) (isolation, Level, error) {
	program, err := exec.LookPath(r.cfg.FFmpeg)
	if err != nil {
		return isolation{}, Level{}, fmt.Errorf("find ffmpeg: %w", err)
	}
	var failed error
	for _, with := range r.isolations {
		level, err := r.check(ctx, with, program)
		if err == nil {
			level.FFmpeg, err = r.ffmpegVersion(ctx, with, program)
		}
		if err == nil {
			return with, level, nil
		}
		if ctx.Err() != nil {
			return isolation{}, Level{}, context.Cause(ctx)
		}
		r.log.DebugContext(ctx, "isolation not available, trying less", "isolation", fmt.Sprintf("%+v", with), "error", err)
		failed = err // the last, with the least isolation, is the most telling
	}
	return isolation{}, Level{}, failed
}

// checkReport is what a child that checks its confinement prints.
type checkReport struct {
	OwnProcesses bool
	SystemCalls  bool
	Landlock     int
	Allowed      []string
}

// check starts a child that tries what it should not be able to do.
func (r *Runner) check(ctx context.Context, w isolation, program string) (Level, error) {
	var report checkReport
	var complaint childlog.Head
	err := r.runIsolated(ctx, w, Child{Program: program, Stderr: &complaint}, true, func(r io.Reader) error {
		return json.NewDecoder(r).Decode(&report)
	})
	if err != nil {
		return Level{}, fmt.Errorf("check confinement: %w: %s", err, complaint.String())
	}
	return Level{
		EmptyRoot: w.root, OwnProcesses: report.OwnProcesses, OwnNetwork: w.namespaces, OwnUsers: w.user,
		SystemCalls: report.SystemCalls, Landlock: report.Landlock, Allowed: report.Allowed,
	}, nil
}

// ffmpegVersion runs ffmpeg isolated and returns its version.
func (r *Runner) ffmpegVersion(ctx context.Context, w isolation, program string) (string, error) {
	var printed, complaint childlog.Head
	err := r.runIsolated(ctx, w, Child{Program: program, Args: []string{"-version"}, Stderr: &complaint}, false, func(r io.Reader) error {
		_, err := io.Copy(&printed, r)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("try %s, confined: %w: %s", program, err, complaint.String())
	}
	words := strings.Fields(printed.String())
	if len(words) < 3 || words[0] != "ffmpeg" || words[1] != "version" {
		return "", fmt.Errorf("try %s, confined: not an ffmpeg: it prints no version", program)
	}
	return words[2], nil
}
