package transcript

import (
	"bytes"
	"fmt"
	"io"
)

// paragraphPauseMS is a silence after which a new paragraph begins.
const paragraphPauseMS = 2000

// WriteText prints t as plain text: a line for each paragraph, a blank line
// between them. A paragraph ends where the speaker pauses for two seconds. A
// gap is a paragraph of its own. Where the channels were heard apart, a line
// begins where the channel changes, with its number. A transcript without words
// and gaps prints nothing but a doubt of its language.
func WriteText(w io.Writer, t *Transcript) error {
	var b bytes.Buffer
	if doubt := doubtOf(t); doubt != "" {
		b.WriteString("[" + doubt + "]")
	}
	var end int64
	var before entry
	for _, e := range timeline(t) {
		changed := e.channel != before.channel
		switch {
		case b.Len() == 0:
		case before.words == nil || e.words == nil || e.startMS-end >= paragraphPauseMS:
			b.WriteString("\n\n")
		case changed:
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
		if e.words == nil {
			b.WriteString(e.gap.String())
			end = max(end, e.gap.EndMS)
		} else if changed && e.channel != 0 {
			b.WriteString(label(e.channel) + " ")
		}
		for i, word := range e.words {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(word.Text)
			end = max(end, word.EndMS)
		}
		before = e
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write text: %w", err)
	}
	return nil
}
