package pipeline

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/media"
	"hark/media/decode"
	"hark/media/render"
	"hark/media/transcript"
	"hark/storage"
	"hark/storage/work"
	"hark/transcribe"
)

// rawDecoder takes clips of bare 16-bit samples, so that these tests are about
// the work and not about formats.
type rawDecoder struct {
	fail func(samples int64) error // asked before every second of sound; nil means never
}

func (d rawDecoder) Decode(ctx context.Context, f *os.File, _ int64, _ media.Format, sink decode.Sink) (r decode.Report, err error) {
	buf := make([]byte, 2*media.SampleRate)
	for done := int64(0); ; done += media.SampleRate {
		if d.fail != nil {
			if err := d.fail(done); err != nil {
				return r, err
			}
		}
		n, err := io.ReadFull(f, buf)
		p := make([]float32, n/2)
		for i := range p {
			p[i] = float32(int16(binary.LittleEndian.Uint16(buf[2*i:]))) / 32768
		}
		if err := errors.Join(context.Cause(ctx), sink(p, nil)); err != nil {
			return r, err
		}
		if err != nil {
			return r, nil
		}
	}
}

// plainRenderer writes a few bytes where the real one runs an encoder.
type plainRenderer struct {
	dir  string
	fail func() error // nil means never
	runs int
}

func (r *plainRenderer) Render(context.Context, *media.Spool, render.Analysis) (*render.Rendition, error) {
	r.runs++
	if r.fail != nil {
		if err := r.fail(); err != nil {
			return nil, err
		}
	}
	file, err := media.ScratchFile(r.dir)
	if err != nil {
		return nil, err
	}
	if _, err := file.WriteString("sound"); err != nil {
		return nil, err
	}
	_, err = file.Seek(0, io.SeekStart)
	return &render.Rendition{File: file, Bytes: 5, MediaType: render.MediaType}, err
}

// parrot is an engine that hears one word a second in anything.
type parrot struct {
	pace   time.Duration               // it takes for a second of sound
	before func(context.Context) error // runs when all is heard; nil means nothing
}

func (e parrot) Transcribe(ctx context.Context, src transcribe.Source, opts transcribe.Options) (*transcript.Transcript, error) {
	t := &transcript.Transcript{Engine: "parrot", Model: "grey"}
	buf := make([]float32, media.SampleRate)
	var heard int64
	for {
		n, err := src.ReadSamples(buf)
		heard += int64(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if e.pace > 0 {
			select {
			case <-time.After(e.pace * time.Duration(n) / media.SampleRate):
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		opts.Progress(heard * 1000 / media.SampleRate)
	}
	if e.before != nil {
		if err := e.before(ctx); err != nil {
			return nil, err
		}
	}
	for s := range heard / media.SampleRate {
		t.Segments = append(t.Segments, transcript.NewSegment([]transcript.Word{{Text: "word", StartMS: s * 1000, EndMS: s*1000 + 500}}))
	}
	return t, nil
}

// untilCancelled is for an engine that works on until it is stopped.
func untilCancelled(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// watch keeps what an observer and a progress are told.
type watch struct {
	mu        sync.Mutex
	stages    map[string]int
	results   []work.Result
	audio     time.Duration
	fractions []float64
	names     []string
	times     []time.Time
}

func (w *watch) Stage(name string, _ time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stages[name]++
}

func (w *watch) Ready(audio, _ time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.audio = audio
}

func (w *watch) Began(storage.JobKind) {}

func (w *watch) Left(storage.JobKind) {}

func (w *watch) Ended(_ storage.JobKind, result work.Result, _ time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.results = append(w.results, result)
}

func (w *watch) Progress(_ context.Context, _ storage.Task, fraction float64, stage string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fractions, w.names, w.times = append(w.fractions, fraction), append(w.names, stage), append(w.times, time.Now())
}

// bench is a worker on its parts, with one job for a clip of a tone.
type bench struct {
	*watch
	records     *memory
	objectStore *objectStore
	renderer    *plainRenderer
	deps        Deps
	cfg         Config
	scratch     string
	log         *bytes.Buffer
}

func newBench(t *testing.T, length time.Duration) *bench {
	t.Helper()
	clip := tone(length)
	b := &bench{
		watch: &watch{stages: map[string]int{}},
		records: &memory{away: map[string]int{}, task: storage.Task{
			Job: storage.Job{JobRef: storage.JobRef{ID: "job", Kind: storage.Transcribe}, WorkspaceID: "workspace"}, MessageID: "message",
			Key: "original", Format: media.WAV, Bytes: int64(len(clip)), RenditionKey: "rendition",
		}},
		objectStore: &objectStore{objects: map[string][]byte{"original": clip}},
		scratch:     t.TempDir(),
		log:         new(bytes.Buffer),
	}
	b.renderer = &plainRenderer{dir: b.scratch}
	b.deps = Deps{
		Records: b.records, Clips: b.objectStore, Decoder: rawDecoder{}, Renderer: b.renderer, Engine: parrot{},
		Progress: b.watch, Observer: b.watch,
		Logger: slog.New(slog.NewTextHandler(b.log, nil)),
	}
	b.cfg = Config{Scratch: b.scratch, Lease: 15 * time.Second}
	t.Cleanup(func() { b.wantNothingLeft(t) })
	return b
}

// handle makes a worker of the parts and does one attempt.
func (b *bench) handle(ctx context.Context, t *testing.T) work.Outcome {
	t.Helper()
	w, err := New(b.deps, b.cfg)
	if err != nil {
		t.Fatal(err)
	}
	r, err := work.NewRunner(b.records, work.Config{Name: "worker", Observer: b.watch, Logger: b.deps.Logger}, w.Kind(1, 1, nil))
	if err != nil {
		t.Fatal(err)
	}
	return r.Run(ctx, "job")
}

// last is how the last attempt ended.
func (b *bench) last() work.Result { return b.results[len(b.results)-1] }

// wantNothingLeft fails when a file is left in the scratch folder, by name or
// only open.
func (b *bench) wantNothingLeft(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(b.scratch)
	if err != nil || len(left) > 0 {
		t.Errorf("scratch folder holds %v (%v)", left, err)
	}
	open, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range open {
		if name, err := os.Readlink(fd); err == nil && strings.HasPrefix(name, b.scratch) {
			t.Errorf("%s is still open", name)
		}
	}
}

// tone is a clip for rawDecoder.
func tone(length time.Duration) []byte {
	var b []byte
	for i := range media.Samples(length) {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(8000*math.Sin(float64(i)*0.2))))
	}
	return b
}
