package decode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
)

// ErrNotConfined is the error of a [Decoder] that is to refuse decoding
// without full confinement, on a machine that does not give it.
var ErrNotConfined = errors.New("this machine does not confine decoding fully")

// Confinement is what keeps a child that decodes foreign bytes away from the
// rest of this machine, as a check at the start of one found it.
type Confinement struct {
	EmptyRoot    bool     // it sees no file but the program, libraries and its input
	OwnProcesses bool     // it sees no other process
	OwnNetwork   bool     // it has no network, not even the machine's own loopback
	OwnUsers     bool     // its user has no power outside its namespace; not needed for full confinement
	SystemCalls  bool     // it can make the listed system calls only
	Landlock     int      // version of the kernel's Landlock that bounds its files; 0 for none
	Allowed      []string // what it could do though nothing should let it
	FFmpeg       string   // the version that ffmpeg told from within
}

// Full reports whether everything holds that Hark can do on any system.
func (c Confinement) Full() bool { return len(c.missing()) == 0 && len(c.Allowed) == 0 }

func (c Confinement) missing() []string {
	var missing []string
	for _, wall := range []struct {
		there bool
		name  string
	}{
		{c.EmptyRoot, "empty root"},
		{c.OwnProcesses, "own processes"},
		{c.OwnNetwork, "own network"},
		{c.Landlock > 0, "Landlock"},
		{c.SystemCalls, "system call filter"},
	} {
		if !wall.there {
			missing = append(missing, wall.name)
		}
	}
	return missing
}

// String says what was reached and what is missing, for logs and operators.
func (c Confinement) String() string {
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

// reached remembers behind which walls children are started.
type reached struct {
	mu    sync.Mutex
	known bool
	walls walls
	what  Confinement
}

// Confinement finds out, once, which walls this machine gives: it starts
// children that try what they should not be able to do, behind the best walls
// first, and ffmpeg itself behind the best that stand. The error says why
// ffmpeg does not start, or is [ErrNotConfined]. Decoding asks for it first;
// a program that asks at its start tells its operator before the first clip.
func (d *Decoder) Confinement(ctx context.Context) (Confinement, error) {
	_, what, err := d.confine(ctx)
	return what, err
}

func (d *Decoder) confine(ctx context.Context) (walls, Confinement, error) {
	d.reached.mu.Lock()
	defer d.reached.mu.Unlock()
	r := &d.reached
	if !r.known {
		var err error
		if r.walls, r.what, err = d.climb(ctx); err != nil {
			return walls{}, Confinement{}, err
		}
		r.known = true
		if r.what.Full() {
			d.log.InfoContext(ctx, "decoding is confined", "level", r.what.String(), "ffmpeg", r.what.FFmpeg)
		} else {
			d.log.WarnContext(ctx, "decoding is not fully confined", "level", r.what.String(), "ffmpeg", r.what.FFmpeg)
		}
	}
	if d.cfg.RequireFull && !r.what.Full() {
		return walls{}, r.what, fmt.Errorf("%w: %s", ErrNotConfined, r.what)
	}
	return r.walls, r.what, nil
}

// climb returns the best walls behind which a child starts and ffmpeg runs.
func (d *Decoder) climb(ctx context.Context) (walls, Confinement, error) {
	program, err := exec.LookPath(d.cfg.FFmpeg)
	if err != nil {
		return walls{}, Confinement{}, fmt.Errorf("find ffmpeg: %w", err)
	}
	var failed error
	for _, w := range d.ladder {
		what, err := d.checkBehind(ctx, w, program)
		if err == nil {
			what.FFmpeg, err = d.ffmpegVersion(ctx, w, program)
		}
		if err == nil {
			return w, what, nil
		}
		if ctx.Err() != nil {
			return walls{}, Confinement{}, context.Cause(ctx)
		}
		d.log.DebugContext(ctx, "no decoding behind these walls", "walls", fmt.Sprintf("%+v", w), "cause", err)
		failed = err // the last, with the fewest walls, is the most telling
	}
	return walls{}, Confinement{}, failed
}

// checkReport is what a child that checks its confinement prints.
type checkReport struct {
	OwnProcesses bool
	SystemCalls  bool
	Landlock     int
	Allowed      []string
}

// checkBehind starts a child behind the walls, which tries what it should not
// be able to do.
func (d *Decoder) checkBehind(ctx context.Context, w walls, program string) (Confinement, error) {
	var report checkReport
	var complaint bounded
	err := d.runBehind(ctx, w, child{program: program, stderr: &complaint}, true, func(r io.Reader) error {
		return json.NewDecoder(r).Decode(&report)
	})
	if err != nil {
		return Confinement{}, fmt.Errorf("check confinement: %w: %s", err, complaint.String())
	}
	return Confinement{
		EmptyRoot: w.root, OwnProcesses: report.OwnProcesses, OwnNetwork: w.namespaces, OwnUsers: w.user,
		SystemCalls: report.SystemCalls, Landlock: report.Landlock, Allowed: report.Allowed,
	}, nil
}

// ffmpegVersion runs ffmpeg behind the walls and returns its version.
func (d *Decoder) ffmpegVersion(ctx context.Context, w walls, program string) (string, error) {
	var printed, complaint bounded
	err := d.runBehind(ctx, w, child{program: program, args: []string{"-version"}, stderr: &complaint}, false, func(r io.Reader) error {
		_, err := io.Copy(&printed, r)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("try %s, confined: %w: %s", program, err, complaint.String())
	}
	words := bytes.Fields(printed.kept)
	if len(words) < 3 || string(words[0]) != "ffmpeg" || string(words[1]) != "version" {
		return "", fmt.Errorf("try %s, confined: it is no ffmpeg, as it tells no version", program)
	}
	return string(words[2]), nil
}
