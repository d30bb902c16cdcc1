package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"hark/transcribe/wer"
)

type benchWERCmd struct {
	benchConfig
	Text bool   `help:"Print what was said and what was heard where they differ."`
	Dir  string `arg:"" type:"existingdir" help:"Folder of clips and manifest.jsonl: file, text and, where known, words with start_ms and end_ms."`
}

// Run sends each clip through a whole Hark, one after the other, and compares.
func (b *benchWERCmd) Run(ctx context.Context) error {
	clips, err := wer.ReadManifest(b.Dir)
	if err != nil {
		return err
	}
	target, end, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer end()
	c, conv := target.client, target.conversation

	var (
		sum   wer.Counts
		times wer.TimeErrors
		audio time.Duration
		wall  time.Duration
	)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "clip\tseconds\twords\twrong\tmissed\tinvented\tWER\treal time\t")
	for _, clip := range clips {
		began := time.Now()
		msg, err := c.upload(ctx, conv.ID, clip.File)
		if err != nil {
			return fmt.Errorf("%s: %w", clip.File, err)
		}
		if msg, err = c.await(ctx, msg.ID); err != nil {
			return fmt.Errorf("%s: %w", clip.File, err)
		}
		took, length := time.Since(began), time.Duration(msg.DurationMS)*time.Millisecond
		heard, err := c.transcript(ctx, msg.ID)
		if err != nil {
			return fmt.Errorf("%s: %w", clip.File, err)
		}
		n := wer.Score(clip.Text, heard.Text())
		fmt.Fprintf(w, "%s\t%.1f\t%d\t%d\t%d\t%d\t%.1f %%\t%.1f x\t\n", filepath.Base(clip.File), length.Seconds(),
			n.Words, n.Substitutions, n.Deletions, n.Insertions, 100*n.Rate(), length.Seconds()/took.Seconds())
		if b.Text && n.Errors() > 0 {
			fmt.Fprintf(os.Stderr, "%s\n  said  %s\n  heard %s\n", filepath.Base(clip.File), clip.Text, heard.Text())
		}
		sum = sum.Add(n)
		times = times.Add(wer.CompareTimes(clip.Words, heard.Words()))
		audio += length
		wall += took
	}
	fmt.Fprintf(w, "all\t%.1f\t%d\t%d\t%d\t%d\t%.1f %%\t%.1f x\t\n", audio.Seconds(),
		sum.Words, sum.Substitutions, sum.Deletions, sum.Insertions, 100*sum.Rate(), audio.Seconds()/wall.Seconds())
	if err := w.Flush(); err != nil {
		return err
	}
	if n := len(times.Starts); n > 0 {
		fmt.Printf("word times, %d words: start off by %d ms (median), %d ms (p90); end off by %d ms, %d ms\n", n,
			wer.Quantile(times.Starts, 0.5), wer.Quantile(times.Starts, 0.9), wer.Quantile(times.Ends, 0.5), wer.Quantile(times.Ends, 0.9))
	}
	return nil
}
