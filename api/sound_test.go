package api

import (
	"bytes"
	"encoding/binary"
	"math"
	"mime/multipart"
	"net/textproto"
	"strings"
	"time"

	"hark/transcribe"
)

// spoken is a transcript with a word each half second.
func spoken(text string) *transcribe.Transcript {
	t := &transcribe.Transcript{Language: "en", Engine: "test", Model: "test"}
	var words []transcribe.Word
	for i, word := range strings.Fields(text) {
		at := int64(i) * 500
		words = append(words, transcribe.Word{Text: word, StartMS: at, EndMS: at + 400, Confidence: 0.9})
	}
	if words != nil {
		t.Segments = []transcribe.Segment{transcribe.NewSegment(words)}
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
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, 36+dataBytes)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint32(b, rate*2)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	return binary.LittleEndian.AppendUint32(b, dataBytes)
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
