package transcript

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// vttEscaper writes cue text as the WebVTT standard asks (W3C WebVTT 1,
// section 4.2.2): without it "-->" would be read as a timing and "<" as a tag.
var vttEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// WriteVTT prints t as WebVTT captions (text/vtt, UTF-8). A gap has a cue of
// its own. Where the channels were heard apart, each cue names its channel: in a
// voice span, which players do not show, and in front of it; and cues overlap
// where both speak at once. A transcript without words and gaps
// prints a file without cues.
func WriteVTT(w io.Writer, t *Transcript, opts CaptionOptions) error {
	var b bytes.Buffer
	b.WriteString("WEBVTT\n")
	if doubt := doubtOf(t); doubt != "" {
		b.WriteString("\nNOTE " + doubt + "\n")
	}
	for _, c := range cues(t, opts) {
		fmt.Fprintf(&b, "\n%s --> %s\n", clock(c.startMS, '.'), clock(c.endMS, '.'))
		writeVTTCue(&b, c, opts.WordTimes)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write vtt: %w", err)
	}
	return nil
}

func writeVTTCue(b *bytes.Buffer, c cue, wordTimes bool) {
	b.WriteString(c.head())
	if c.channel != 0 {
		fmt.Fprintf(b, "<v Channel %d>", c.channel)
	}
	last := c.startMS
	for i, line := range c.lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		for j, word := range line {
			if j > 0 {
				b.WriteByte(' ')
			}
			if wordTimes && word.StartMS > last && word.StartMS < c.endMS {
				fmt.Fprintf(b, "<%s>", clock(word.StartMS, '.'))
				last = word.StartMS
			}
			b.WriteString(vttEscaper.Replace(word.Text))
		}
	}
	if c.channel != 0 {
		b.WriteString("</v>") // some players carry an open one on to the next cue
	}
	b.WriteByte('\n')
}

// clock prints milliseconds as hh:mm:ss and three decimals after mark. Hours
// take more digits when they need them.
func clock(ms int64, mark rune) string {
	s := ms / 1000
	return fmt.Sprintf("%02d:%02d:%02d%c%03d", s/3600, s/60%60, s%60, mark, ms%1000)
}
