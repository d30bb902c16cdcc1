package decode

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"
	"time"

	"hark/media/internal/mpeg"
	"hark/media/internal/ogg"
)

// fuzzNative asks of an in-process decoder that no bytes make it panic, run on
// for ever, or give more sound than it was allowed.
// mend may repair what a fuzzer cannot guess.
func fuzzNative(f *testing.F, n native, mend func([]byte) []byte) {
	const limit = 10 * time.Second
	f.Fuzz(func(t *testing.T, clip []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		clip = mend(clip)
		out := newPCMSink(ctx, limit, func(_, _ []float32) error { return nil })
		err := n.decode(io.NewSectionReader(bytes.NewReader(clip), 0, int64(len(clip))), out)
		if out.failed == nil && err == nil {
			err = out.finish()
		}
		if ctx.Err() != nil {
			t.Fatalf("still decoding %d bytes after a minute", len(clip))
		}
		if out.samples > limit.Milliseconds()*16 {
			t.Fatalf("%d samples are over the limit (%v)", out.samples, err)
		}
	})
}

func FuzzWAV(f *testing.F) {
	for _, encoding := range []int{1, 3, 6, 7, 2, 0xFFFE} {
		f.Add(wavFile(encoding, 2, 44100, 4, 16, 64, make([]byte, 64)))
		f.Add(wavFile(encoding, 1, 16000, 4, 32, 0, make([]byte, 64)))
	}
	whole := riffFile(chunk("data", make([]byte, 9)), format(2, 8000), chunk("LIST", []byte("wavl")), chunk("data", make([]byte, 64), 4))
	f.Add(slices.Concat(whole, whole))
	f.Add(slices.Concat(wavFile(1, 1, 16000, 2, 16, 0, make([]byte, 63)), whole, wavFile(3, 1, 8000, 4, 32, 0, make([]byte, 64)), wavFile(2, 1, 8000, 4, 4, 64, make([]byte, 64))))
	f.Add([]byte("RF64\xFF\xFF\xFF\xFFWAVEds64\x1c\x00\x00\x00"))
	fuzzNative(f, native{"wav", decodeWAV}, bytes.Clone)
}

func FuzzMP3(f *testing.F) {
	frame := append([]byte{0xFF, 0xFB, 0x50, 0xC4}, make([]byte, 300)...) // 64 kbit/s, 44.1 kHz, mono
	if h, ok := mpeg.Parse(frame); ok {
		frame = frame[:h.Size]
	}
	f.Add(bytes.Repeat(frame, 3))
	f.Add(append([]byte("ID3\x04\x00\x00\x00\x00\x00\x05extra"), bytes.Repeat(frame, 2)...))
	other := append([]byte{0xFF, 0xFB, 0x14, 0xC4}, make([]byte, 92)...) // 32 kbit/s, 48 kHz
	tagged := bytes.Clone(frame)
	copy(tagged[21:], "Info\x00\x00\x00\x01\x00\x00\x00\x09")
	f.Add(slices.Concat(tagged, frame, frame, []byte("APETAGEX\xD0\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x20"), bytes.Repeat(other, 4), []byte("junk"), frame, frame, frame))
	fuzzNative(f, native{"mp3", decodeMP3}, bytes.Clone)
}

// FuzzOggOpus signs the pages that the fuzzer makes, so that it gets past
// their checksums.
func FuzzOggOpus(f *testing.F) {
	head := append([]byte("OpusHead\x01\x01\x38\x01\x80\xBB\x00\x00"), 0, 0, 0)
	page := func(kind, sequence, granule byte, body []byte) []byte {
		p := append([]byte("OggS\x00"), kind, granule, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, sequence, 0, 0, 0, 0, 0, 0, 0, 1, byte(len(body)))
		return append(p, body...)
	}
	start := append(page(2, 0, 0, head), page(0, 1, 0, []byte("OpusTags"))...)
	f.Add(append(bytes.Clone(start), page(4, 2, 200, []byte{0x78, 1, 2, 3, 4, 5, 6, 7})...))
	f.Add(append(bytes.Clone(start), page(0, 5, 250, []byte{0xFF, 3, 0, 0, 9})...))
	f.Add(slices.Concat(start, page(0, 2, 200, []byte{0x78, 1, 2}), page(0, 3, 100, []byte{0x78, 1, 2}), start, page(4, 9, 0, []byte{0x1B, 0x83, 1, 2, 3})[:30]))
	fuzzNative(f, native{"opus", decodeOpus}, signAll)
}

// signAll puts the right checksum on everything that looks like a page.
func signAll(clip []byte) []byte {
	var signed []byte
	for {
		next := bytes.Index(clip, []byte("OggS"))
		if next < 0 {
			return append(signed, clip...)
		}
		signed, clip = append(signed, clip[:next]...), clip[next:]
		n := 4
		if _, size, err := ogg.ParseUnchecked(clip); err == nil {
			n = size
			signed = append(signed, sign(clip[:n])...)
		} else {
			signed = append(signed, clip[:n]...)
		}
		clip = clip[n:]
	}
}
