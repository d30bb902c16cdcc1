package api

import (
	"bytes"
	"encoding/binary"
	"math"
	"mime/multipart"
	"net/textproto"
	"strings"
	"time"

	"hark/media"
	"hark/media/transcript"
)

// spoken is a transcript with a word each half second.
func spoken(text string) *transcript.Transcript {
	t := &transcript.Transcript{Language: "en", Engine: "test", Model: "test"}
	var words []transcript.Word
	for i, word := range strings.Fields(text) {
		at := int64(i) * 500
		words = append(words, transcript.Word{Text: word, StartMS: at, EndMS: at + 400, Confidence: 0.9})
	}
	if words != nil {
		t.Segments = []transcript.Segment{transcript.NewSegment(words)}
	}
	return t
}

// sine is a WAV file of a 440 Hz tone: 8 kHz, 16 bit, mono.
func sine(d time.Duration) []byte {
	const rate = 8000
	n := int(d.Seconds() * rate)
	b := wavHeader(uint32(n*2), rate)
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*440*float64(i)/rate))))
	}
	return b
}

func wavHeader(dataBytes, rate uint32) []byte {
	return media.WAVHeader(int(rate), 1, int(dataBytes))
}

// formWith makes a form of a recording; fields behind "|" come behind it.
func formWith(clip []byte, fields ...string) (body []byte, contentType string) {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	sent := false
	sendClip := func() {
		part, _ := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="audio"; filename="dir/höre 🎙.wav"`},
			"Content-Type":        {"audio/wav"},
		})
		_, _ = part.Write(clip)
		sent = true
	}
	for i := 0; i < len(fields); i++ {
		if fields[i] == "|" {
			sendClip()
			continue
		}
		_ = form.WriteField(fields[i], fields[i+1])
		i++
	}
	if !sent {
		sendClip()
	}
	form.Close()
	return b.Bytes(), form.FormDataContentType()
}
