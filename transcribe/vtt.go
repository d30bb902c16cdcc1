package transcribe

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// vttEscaper writes cue text as the WebVTT standard asks (W3C WebVTT 1,
// section 4.2.2): without it "-->" would be read as a timing and "<" as a tag.
var vttEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// WriteVTT prints t as WebVTT captions (text/vtt, UTF-8). A transcript without
// words prints a file without cues.
func WriteVTT(w io.Writer, t *Transcript, opts CaptionOptions) error {
	var b bytes.Buffer
	b.WriteString("WEBVTT\n")
	for _, c := range cues(t, opts) {
		fmt.Fprintf(&b, "\n%s --> %s\n", clock(c.startMS, '.'), clock(c.endMS, '.'))
		last := c.startMS
		for _, line := range c.lines {
			for i, word := range line {
				if i > 0 {
					b.WriteByte(' ')
				}
				if opts.WordTimes && word.StartMS > last && word.StartMS < c.endMS {
					fmt.Fprintf(&b, "<%s>", clock(word.StartMS, '.'))
					last = word.StartMS
				}
				b.WriteString(vttEscaper.Replace(word.Text))
			}
			b.WriteByte('\n')
		}
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write vtt: %w", err)
	}
	return nil
}

// clock prints milliseconds as hh:mm:ss and three decimals after mark. Hours
// take more digits when they need them.
func clock(ms int64, mark rune) string {
	s := ms / 1000
	return fmt.Sprintf("%02d:%02d:%02d%c%03d", s/3600, s/60%60, s%60, mark, ms%1000)
}
