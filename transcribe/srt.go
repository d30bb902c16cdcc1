package transcribe

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// srtEscaper replaces what players take for markup or a timing. SRT knows no
// escapes, so look-alikes stand in for angle brackets, and a space disarms the
// overrides that some players borrow from another format ("{\an8}").
var srtEscaper = strings.NewReplacer("<", "‹", ">", "›", `{\`, `{ \`)

// WriteSRT prints t as SubRip captions (application/x-subrip, UTF-8).
// opts.WordTimes has no effect. A transcript without words prints nothing.
func WriteSRT(w io.Writer, t *Transcript, opts CaptionOptions) error {
	var b bytes.Buffer
	for i, c := range cues(t, opts) {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%d\n%s --> %s\n", i+1, clock(c.startMS, ','), clock(c.endMS, ','))
		for _, line := range c.lines {
			for j, word := range line {
				if j > 0 {
					b.WriteByte(' ')
				}
				b.WriteString(srtEscaper.Replace(word.Text))
			}
			b.WriteByte('\n')
		}
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write srt: %w", err)
	}
	return nil
}
