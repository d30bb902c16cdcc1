package transcript

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
// opts.WordTimes has no effect. A gap has a caption of its own. Captions never
// overlap: where two channels speak at once, both stand in one. A transcript
// without words and gaps prints nothing.
func WriteSRT(w io.Writer, t *Transcript, opts CaptionOptions) error {
	var b bytes.Buffer
	for i, s := range apart(cues(t, opts)) {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%d\n%s --> %s\n", i+1, clock(s.startMS, ','), clock(s.endMS, ','))
		for _, c := range s.cues {
			writeSRTCue(&b, c)
		}
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write srt: %w", err)
	}
	return nil
}

func writeSRTCue(b *bytes.Buffer, c cue) {
	b.WriteString(c.head())
	for _, line := range c.lines {
		for i, word := range line {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(srtEscaper.Replace(word.Text))
		}
		b.WriteByte('\n')
	}
}
