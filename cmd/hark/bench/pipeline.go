package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"hark/cmd/hark/client"
	"hark/media"
	"hark/media/decode"
	"hark/media/inspect"
	"hark/transcribe"
	"hark/transcribe/local"
	"hark/transcribe/wer"
)

type pipelineCmd struct {
	config
	Lengths []time.Duration `default:"5s,60s,10m,60m" help:"Lengths of the clips."`
	FFmpeg  string          `name:"ffmpeg" env:"HARK_FFMPEG" default:"ffmpeg" help:"The ffmpeg to decode the speech with."`
	Dir     string          `arg:"" type:"existingdir" help:"Folder of speech and manifest.jsonl, which is joined to the lengths."`
}

// Run measures, for each length, the time from 201 to ready, and the engine
// alone on the sound of the same clip, in turn, so that a machine that is quicker
// at one time than at another does not favour either: short clips several times
// over, long ones between two runs of the engine. Then,
// while the longest clip is in work, short ones are sent beside it.
func (b *pipelineCmd) Run(ctx context.Context) error {
	speech, err := b.speech(ctx)
	if err != nil {
		return err
	}
	engine, err := local.Open(local.Config{Models: b.Models, Model: b.Model, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { _ = engine.Close() }() // the measurement is over
	target, end, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer end()
	run := pipelineRun{Target: target, engine: engine, speech: speech}
	if run.dir, err = os.MkdirTemp("", "hark-clips-"); err != nil {
		return err
	}
	defer os.RemoveAll(run.dir)
	// The first clip a server or an engine sees pays for what is set up once.
	if _, err := run.pipeline(ctx, b.Lengths[0]); err != nil {
		return err
	}
	if _, err := run.transcribe(ctx, b.Lengths[0]); err != nil {
		return err
	}

	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "clip\t201 to ready\tengine alone\tratio\tpeak memory\t")
	for _, length := range b.Lengths {
		whole, alone, err := run.inTurn(ctx, length)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%.2f s\t%.2f s\t%.2f\t%d MB\t\n", length, whole.took.Seconds(), alone.Seconds(), whole.took.Seconds()/alone.Seconds(), whole.peak>>20)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return run.beside(ctx, b.Lengths[0], b.Lengths[len(b.Lengths)-1])
}

// speech decodes the folder's clips into one long take.
func (b *pipelineCmd) speech(ctx context.Context) ([]float32, error) {
	clips, err := wer.ReadManifest(b.Dir)
	if err != nil {
		return nil, err
	}
	decoder := decode.New(decode.Config{FFmpeg: b.FFmpeg, Logger: slog.New(slog.DiscardHandler)})
	var speech []float32
	for _, clip := range clips {
		if err := appendClip(ctx, decoder, clip.File, &speech); err != nil {
			return nil, fmt.Errorf("%s: %w", clip.File, err)
		}
		speech = append(speech, make([]float32, media.SampleRate/2)...)
	}
	if len(speech) == 0 {
		return nil, fmt.Errorf("no speech in %s", b.Dir)
	}
	return speech, nil
}

func appendClip(ctx context.Context, d *decode.Decoder, file string, speech *[]float32) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	head := make([]byte, inspect.SniffLen)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	format, err := inspect.Sniff(head[:n])
	if err != nil {
		return err
	}
	_, err = d.Decode(ctx, f, info.Size(), format, decode.Mono(func(p []float32) error {
		*speech = append(*speech, p...)
		return nil
	}))
	return err
}

// pipelineRun is one run of the measurement.
type pipelineRun struct {
	Target
	engine *local.Engine
	speech []float32
	dir    string
}

type pipelineCost struct {
	took time.Duration // from 201 to ready
	peak int64         // memory of the process at its highest, in bytes
}

// inTurn measures the engine, then both in turn as often as makes about
// five minutes of sound, and returns the mean of each.
func (r *pipelineRun) inTurn(ctx context.Context, length time.Duration) (whole pipelineCost, alone time.Duration, err error) {
	rounds := max(1, min(10, int(5*time.Minute/length)))
	if alone, err = r.transcribe(ctx, length); err != nil {
		return whole, 0, err
	}
	for range rounds {
		cost, err := r.pipeline(ctx, length)
		if err != nil {
			return whole, 0, err
		}
		took, err := r.transcribe(ctx, length)
		if err != nil {
			return whole, 0, err
		}
		alone += took
		whole.took += cost.took
		whole.peak = max(whole.peak, cost.peak)
	}
	whole.took /= time.Duration(rounds)
	return whole, alone / time.Duration(rounds+1), nil
}

// pipeline sends one clip and waits for it.
func (r *pipelineRun) pipeline(ctx context.Context, length time.Duration) (pipelineCost, error) {
	file, err := r.clip(length)
	if err != nil {
		return pipelineCost{}, err
	}
	defer os.Remove(file)
	if err := resetPeak(r.hark.Cmd.Process.Pid); err != nil {
		return pipelineCost{}, err
	}
	msg, err := r.Client.Upload(ctx, r.Conversation.ID, file)
	if err != nil {
		return pipelineCost{}, err
	}
	began := time.Now()
	if _, err := r.Client.Await(ctx, msg.ID); err != nil {
		return pipelineCost{}, err
	}
	took := time.Since(began)
	peak, err := peakMemory(r.hark.Cmd.Process.Pid)
	return pipelineCost{took, peak}, err
}

// transcribe times the engine alone on a clip's sound.
func (r *pipelineRun) transcribe(ctx context.Context, length time.Duration) (time.Duration, error) {
	began := time.Now()
	_, err := r.engine.Transcribe(ctx, &looped{take: r.speech, left: media.Samples(length)}, transcribe.Options{Priority: transcribe.Interactive})
	return time.Since(began), err
}

// beside sends short clips one after the other while a long one is in work.
func (r *pipelineRun) beside(ctx context.Context, short, long time.Duration) error {
	file, err := r.clip(long)
	if err != nil {
		return err
	}
	defer os.Remove(file)
	msg, err := r.Client.Upload(ctx, r.Conversation.ID, file)
	if err != nil {
		return err
	}
	var took []time.Duration
	for len(took) < 20 {
		cost, err := r.pipeline(ctx, short)
		if err != nil {
			return err
		}
		var state client.Message
		if err := r.Client.Get(ctx, "/messages/"+msg.ID, nil, &state); err != nil {
			return err
		}
		if state.State == "ready" {
			break
		}
		took = append(took, cost.took)
	}
	if len(took) == 0 {
		fmt.Printf("the %s clip was ready before a %s clip sent beside it\n", long, short)
		return nil
	}
	slowest := time.Duration(0)
	var sum time.Duration
	for _, d := range took {
		slowest = max(slowest, d)
		sum += d
	}
	fmt.Printf("%s clips while a %s clip is in work: %d, ready after %.2f s (mean), %.2f s (slowest)\n",
		short, long, len(took), (sum / time.Duration(len(took))).Seconds(), slowest.Seconds())
	return r.Client.Delete(ctx, "/messages/"+msg.ID)
}

func (r *pipelineRun) clip(length time.Duration) (string, error) {
	file := filepath.Join(r.dir, strconv.FormatInt(time.Now().UnixNano(), 36)+".wav")
	return file, WriteWAV(file, media.Samples(length), func(i int64) float64 {
		return float64(r.speech[i%int64(len(r.speech))])
	})
}

// looped repeats a take until as many samples as are left were read.
type looped struct {
	take []float32
	at   int
	left int64
}

// ReadSamples never fails but for the end.
func (l *looped) ReadSamples(p []float32) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), l.left)], l.take[l.at:])
	for i, v := range p[:n] {
		p[i] = float32(math.Round(float64(v)*32767) / 32768) // as the WAV has it
	}
	l.at = (l.at + n) % len(l.take)
	l.left -= int64(n)
	return n, nil
}

// resetPeak makes Linux forget the process's highest memory so far.
func resetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// peakMemory is the highest resident memory since [resetPeak], in bytes.
func peakMemory(pid int) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), "VmHWM:"); found {
			kb, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("the system does not tell peak memory")
}
