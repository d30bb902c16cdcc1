package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"hark/transcribe/wer"
)

type werCmd struct {
	config
	Text bool   `help:"Print what was said and what was heard where they differ."`
	JSON string `name:"json" placeholder:"FILE" help:"Write what was heard of every clip, and the words right by length, to a file."`

	Variants  int    `placeholder:"N" help:"Hear every clip N times, in this process: begun up to 500 ms sooner or later, 6 dB louder or quieter, as Opus of 24 to 40 kbit/s."`
	Live      bool   `help:"Have the variants heard while they are spoken, in real time."`
	LiveClips int    `default:"10" help:"How many clips are heard so."`
	Seed      uint64 `default:"1" help:"Seed of the variants."`
	Only      string `placeholder:"CLIP:N" help:"The only variant to hear, as a run that lost words is named."`
	Parallel  int    `default:"2" help:"How many variants are heard at once."`
	FFmpeg    string `name:"ffmpeg" env:"HARK_FFMPEG" default:"ffmpeg" help:"The ffmpeg to encode the variants with."`

	Dir string `arg:"" type:"existingdir" help:"Folder of clips and manifest.jsonl: file, text and, where known, words with start_ms and end_ms."`
}

// Run sends each clip through a whole Hark, one after the other, and compares;
// or hears variants of them in this process, which takes less time.
func (b *werCmd) Run(ctx context.Context) error {
	clips, err := wer.ReadManifest(b.Dir)
	if err != nil {
		return err
	}
	if b.Variants > 0 {
		return b.variants(ctx, clips)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	m, err := b.measure(ctx, clips, w)
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if n := len(m.times.Starts); n > 0 {
		fmt.Printf("word times, %d words: start off by %d ms (median), %d ms (p90); end off by %d ms, %d ms\n", n,
			wer.Quantile(m.times.Starts, 0.5), wer.Quantile(m.times.Starts, 0.9), wer.Quantile(m.times.Ends, 0.5), wer.Quantile(m.times.Ends, 0.9))
	}
	if err := m.print(os.Stdout); err != nil {
		return err
	}
	if b.JSON != "" {
		return m.save(b.JSON)
	}
	return nil
}

// werMeasurement is a report with what only people read.
type werMeasurement struct {
	werReport
	times wer.TimeErrors
}

// measure hears every clip by a Hark of its own, and writes a line of a table for each.
func (b *werCmd) measure(ctx context.Context, clips []wer.Clip, w io.Writer) (m werMeasurement, err error) {
	target, end, err := b.start(ctx)
	if err != nil {
		return m, err
	}
	defer end()
	var (
		heard []heardClip
		sum   wer.Counts
		audio time.Duration
		wall  time.Duration
	)
	fmt.Fprintln(w, "clip\tseconds\twords\twrong\tmissed\tinvented\tWER\treal time\t")
	for _, clip := range clips {
		began := time.Now()
		msg, err := target.Client.Upload(ctx, target.Conversation.ID, clip.File)
		if err == nil {
			msg, err = target.Client.Await(ctx, msg.ID)
		}
		if err != nil {
			return m, fmt.Errorf("%s: %w", clip.File, err)
		}
		took, length := time.Since(began), time.Duration(msg.DurationMS)*time.Millisecond
		t, err := target.Client.Transcript(ctx, msg.ID)
		if err != nil {
			return m, fmt.Errorf("%s: %w", clip.File, err)
		}
		h := heardAs(filepath.Base(clip.File), length, clip.Text, t.Text())
		werLine(w, h.File, length, took, h.Counts)
		if b.Text && h.Counts.Errors() > 0 {
			fmt.Fprintf(os.Stderr, "%s\n  said  %s\n  heard %s\n", h.File, h.Said, h.Heard)
		}
		heard = append(heard, h)
		sum = sum.Add(h.Counts)
		m.times = m.times.Add(wer.CompareTimes(clip.Words, t.Words()))
		audio += length
		wall += took
	}
	werLine(w, "all", audio, wall, sum)
	m.werReport = newWERReport(b.Model, heard)
	return m, nil
}

func werLine(w io.Writer, name string, length, took time.Duration, n wer.Counts) {
	fmt.Fprintf(w, "%s\t%.1f\t%d\t%d\t%d\t%d\t%.2f %%\t%.1f x\t\n", name, length.Seconds(),
		n.Words, n.Substitutions, n.Deletions, n.Insertions, 100*n.Rate(), length.Seconds()/took.Seconds())
}
