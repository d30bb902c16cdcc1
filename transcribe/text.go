package transcribe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// paragraphPauseMS is a silence after which a new paragraph begins.
const paragraphPauseMS = 2000

// WriteText prints t as plain text: a line for each paragraph, a blank line
// between them. A paragraph ends where the speaker pauses for two seconds. A
// transcript without words prints nothing.
func WriteText(w io.Writer, t *Transcript) error {
	var b bytes.Buffer
	var now, end int64
	begun := false
	for _, s := range t.Segments {
		for i, word := range printable(s, &now) {
			switch {
			case !begun:
				begun = true
			case i == 0 && word.StartMS-end >= paragraphPauseMS:
				b.WriteString("\n\n")
			default:
				b.WriteByte(' ')
			}
			b.WriteString(word.Text)
			end = max(end, word.EndMS)
		}
	}
	if begun {
		b.WriteByte('\n')
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write text: %w", err)
	}
	return nil
}

// WriteJSON prints t as one line of JSON. Segments is an array also when
// nothing was said.
func WriteJSON(w io.Writer, t *Transcript) error {
	printed := *t
	if printed.Segments == nil {
		printed.Segments = []Segment{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&printed); err != nil {
		return fmt.Errorf("write json: %w", err)
	}
	return nil
}
