package bench

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/cmd/hark/terminal"
	"hark/media/decode"
	"hark/media/transcript"
	"hark/transcribe/live"
	"hark/transcribe/local"
	"hark/transcribe/wer"
)

// lostShare is the share of a clip's words that no run may lose.
const lostShare = 0.2

// variantRun is what was heard of one variant.
type variantRun struct {
	variant
	words wer.Counts
	heard *transcript.Transcript
}

// lost says whether too many of the clip's words were not heard.
func (r variantRun) lost() bool {
	return float64(r.words.Substitutions+r.words.Deletions) > lostShare*float64(r.words.Words)
}

// variants hears every clip in as many variants, in this process. ctx ends it.
func (b *werCmd) variants(ctx context.Context, clips []wer.Clip) error {
	log := slog.New(slog.DiscardHandler)
	engine, err := local.Open(local.Config{Models: b.Models, Model: b.Model, Logger: log})
	if err != nil {
		return err
	}
	defer func() { _ = engine.Close() }() // the measurement is over
	dir, err := os.MkdirTemp("", "hark-variants-")
	if err != nil {
		return err
	}
	if b.Keep {
		fmt.Fprintln(os.Stderr, "kept in", dir)
	} else {
		defer os.RemoveAll(dir)
	}
	v := variantBench{werCmd: b, dir: dir, decoder: decode.New(decode.Config{FFmpeg: b.FFmpeg, Logger: log})}
	v.hear = func(ctx context.Context, file string) (*transcript.Transcript, error) {
		return hearFile(ctx, v.decoder, engine, file)
	}
	parallel := b.Parallel
	if b.Live {
		ears := live.New(live.Config{Engine: engine, MaxSpeakers: parallel, Logger: log})
		defer ears.Close()
		v.hear = func(ctx context.Context, file string) (*transcript.Transcript, error) {
			return speakFile(ctx, ears, file)
		}
		clips = clips[:min(len(clips), b.LiveClips)]
	}
	runs, err := v.run(ctx, clips)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return fmt.Errorf("no run is called %q", b.Only)
	}
	return b.report(clips, runs)
}

// variantBench makes variants and has them heard.
type variantBench struct {
	*werCmd
	dir     string
	decoder *decode.Decoder
	hear    func(ctx context.Context, file string) (*transcript.Transcript, error)
}

// run hears all variants of all clips, several at once, and returns the runs in order.
func (v *variantBench) run(ctx context.Context, clips []wer.Clip) ([]variantRun, error) {
	runs := make([]variantRun, len(clips)*v.Variants)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(v.Parallel, 1))
	began := time.Now()
	for i, clip := range clips {
		var pcm []float32
		if err := appendClip(ctx, v.decoder, clip.File, &pcm); err != nil {
			return nil, fmt.Errorf("%s: %w", clip.File, err)
		}
		for n := range v.Variants {
			made := newVariant(filepath.Base(clip.File), n+1, v.Seed)
			if v.Only != "" && v.Only != made.name() {
				continue
			}
			group.Go(func() (err error) {
				runs[i*v.Variants+n], err = v.one(ctx, clip, pcm, made)
				return err
			})
		}
		fmt.Fprintf(os.Stderr, "%d of %d clips, %s\n", i+1, len(clips), time.Since(began).Round(time.Second))
	}
	err := group.Wait()
	return slices.DeleteFunc(runs, func(r variantRun) bool { return r.heard == nil }), err
}

func (v *variantBench) one(ctx context.Context, clip wer.Clip, pcm []float32, made variant) (variantRun, error) {
	file := filepath.Join(v.dir, fmt.Sprintf("%s.%d.ogg", made.clip, made.number))
	if err := made.encode(ctx, v.FFmpeg, made.apply(pcm), file); err != nil {
		return variantRun{}, err
	}
	heard, err := v.hear(ctx, file)
	if err != nil {
		return variantRun{}, fmt.Errorf("%s: %w", made, err)
	}
	if !v.Keep {
		os.Remove(file)
	}
	run := variantRun{variant: made, words: wer.Score(clip.Text, heard.Text()), heard: heard}
	if v.Text && run.words.Errors() > 0 {
		fmt.Fprintf(os.Stderr, "%s\n  said  %s\n  heard %s\n", made, clip.Text, heard.Text())
	}
	return run, nil
}

// report prints the spread of each clip and of all, and each run that
// lost too much, which is an error.
func (b *werCmd) report(clips []wer.Clip, runs []variantRun) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "clip\truns\tmean WER\tp10\tp50\tp90\tworst\tlose a fifth\t")
	for _, clip := range clips {
		name := filepath.Base(clip.File)
		of := slices.DeleteFunc(slices.Clone(runs), func(r variantRun) bool { return r.clip != name })
		spreadLine(w, name, of)
	}
	spreadLine(w, "all", runs)
	if err := w.Flush(); err != nil {
		return err
	}
	lost := slices.DeleteFunc(slices.Clone(runs), func(r variantRun) bool { return !r.lost() })
	out := terminal.Stdout()
	out.Printf("runs that lose more than a fifth of a clip's words: %d of %d (%.2f %%)\n", len(lost), len(runs), 100*float64(len(lost))/float64(len(runs)))
	for _, r := range lost {
		out.Printf("  --variants %d --seed %d --only %s\n    %s: %d of %d words lost, gaps %v; heard %q\n", b.Variants, b.Seed, r.name(), r.variant,
			r.words.Substitutions+r.words.Deletions, r.words.Words, r.heard.Gaps, r.heard.Text())
	}
	if out.Err == nil && len(lost) > 0 {
		return fmt.Errorf("%d runs lose more than a fifth of their words", len(lost))
	}
	return out.Err
}

func spreadLine(w *tabwriter.Writer, name string, runs []variantRun) {
	if len(runs) == 0 {
		return
	}
	var sum wer.Counts
	var rates []int64 // in hundredths of a percent
	lost := 0
	for _, r := range runs {
		sum = sum.Add(r.words)
		rates = append(rates, int64(10_000*r.words.Rate()))
		if r.lost() {
			lost++
		}
	}
	at := func(q float64) float64 { return float64(wer.Quantile(rates, q)) / 100 }
	fmt.Fprintf(w, "%s\t%d\t%.2f %%\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t\n", name, len(runs), 100*sum.Rate(), at(0.1), at(0.5), at(0.9), at(1), lost)
}
