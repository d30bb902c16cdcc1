package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"hark/transcribe/wer"
)

// heardClip is what was heard of one clip.
type heardClip struct {
	File    string     `json:"file"`
	Seconds float64    `json:"seconds"`
	Counts  wer.Counts `json:"counts"`
	Said    string     `json:"said"`
	Heard   string     `json:"heard"`
}

// lengthClass is what was heard of the clips shorter than Under that are in no
// class before; the last class has no end.
type lengthClass struct {
	Under  float64    `json:"under_seconds,omitempty"` // 0 for the last class
	Clips  int        `json:"clips"`
	Counts wer.Counts `json:"counts"`
	Right  float64    `json:"right"` // share of the words that were said
	WER    float64    `json:"wer"`
}

func (c *lengthClass) add(h heardClip) {
	c.Clips++
	c.Counts = c.Counts.Add(h.Counts)
	n := c.Counts
	c.Right = float64(n.Words-n.Substitutions-n.Deletions) / float64(max(n.Words, 1))
	c.WER = n.Rate()
}

// werReport is a measurement that can be compared with another.
type werReport struct {
	Model   string        `json:"model"`
	All     lengthClass   `json:"all"`
	Lengths []lengthClass `json:"lengths"`
	Clips   []heardClip   `json:"clips"`
}

// newWERReport sorts clips by length: a word alone is harder than a sentence.
func newWERReport(model string, clips []heardClip) werReport {
	r := werReport{Model: model, Clips: clips, Lengths: []lengthClass{{Under: 0.6}, {Under: 1}, {Under: 2}, {Under: 5}, {}}}
	for _, h := range clips {
		r.All.add(h)
		for i := range r.Lengths {
			if c := &r.Lengths[i]; c.Under == 0 || h.Seconds < c.Under {
				c.add(h)
				break
			}
		}
	}
	return r
}

// print writes the table of lengths.
func (r werReport) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "length\tclips\twords\tright\tinvented\tWER\t")
	from := 0.0
	for _, c := range r.Lengths {
		name := fmt.Sprintf("%g to %g s", from, c.Under)
		if c.Under == 0 {
			name = fmt.Sprintf("%g s and more", from)
		}
		from = c.Under
		c.line(w, name)
	}
	r.All.line(w, "all")
	return w.Flush()
}

func (c lengthClass) line(w io.Writer, name string) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%.1f %%\t%d\t%.2f %%\t\n", name, c.Clips, c.Counts.Words, 100*c.Right, c.Counts.Insertions, 100*c.WER)
}

// save writes the report as JSON.
func (r werReport) save(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644) //nolint:gosec // a report for everybody
}

// heardAs is the clip of a report.
func heardAs(file string, length time.Duration, said, heard string) heardClip {
	return heardClip{File: file, Seconds: length.Seconds(), Counts: wer.Score(said, heard), Said: said, Heard: heard}
}
