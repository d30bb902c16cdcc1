package decode

import (
	"bytes"
	"errors"
	"testing"

	"hark/media"
)

// FuzzFFmpegLog asks of what reads ffmpeg's words, in which names from the file are
// printed, that nothing makes it panic or keep much.
func FuzzFFmpegLog(f *testing.F) {
	f.Add([]byte("[info] Input #0, mov, from 'x':\n[info]   Duration: 01:02:03.04, start: 0.0\n[info]   Stream #0:0[0x1](eng): Audio: aac (LC), 8 Hz (default) (dub)\n[info] Stream mapping:\n"), 7)
	f.Add([]byte("[mov @ 0x5] [error] partial file\n[error] Error while decoding stream #0:0: x\n"), 1)
	f.Fuzz(func(t *testing.T, said []byte, cut int) {
		log := newFFmpegLog()
		cut = max(0, min(cut, len(said)))
		_, _ = log.Write(said[:cut])
		_, _ = log.Write(said[cut:])
		log.close()
		log.close()
		if len(log.tracks) > maxListed || log.length() < 0 {
			t.Errorf("%d tracks, %v", len(log.tracks), log.declared)
		}
		for _, i := range audible(log.list()) {
			if i < 0 || i >= len(log.tracks) || log.tracks[i].codec == "none" {
				t.Errorf("track %d of %+v", i, log.tracks)
			}
		}
	})
}

// FuzzTimedSound asks of what takes sound from a child that it ends, stays in
// bounds of the message's length, and puts no block before another's end.
func FuzzTimedSound(f *testing.F) {
	block := "\xA3\x8C\x81\x00\x00\x80" + "\x00\x00\x80\x3F\x00\x00\x80\x3E"
	f.Add([]byte("\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x9F\x81\x01\x1F\x43\xB6\x75\xFF\xE7\x81\x05"+block+"\xE7\x82\x10\x00"+block), byte(2))
	f.Add([]byte("\x9F\x81\x02\xE7\x88\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"+block+"\xE7\x81\x00"+block+block), byte(2))
	f.Add([]byte("\xA0\x8E\xA1\x8C\x81\xFF\xFF\x80\x00\x00\xC0\x7F\x00\x00\x80\x7F"), byte(1))
	f.Fuzz(func(t *testing.T, sent []byte, worth byte) {
		const longest = 20 * media.SampleRate
		m := mixer{longest: longest, declared: 3 * media.SampleRate}
		for range 1 + worth/16%3 {
			timed := newTimedReader(bytes.NewReader(sent))
			m.voices = append(m.voices, &voice{placer: placer{worth: stamps(worth % 3), next: func() (timedBlock, bool) {
				b, err := timed.next()
				if err == nil && (b.channels < 1 || len(b.sound)%b.channels != 0 || b.frames() == 0) {
					t.Fatalf("a block of %d samples in %d channels", len(b.sound), b.channels)
				}
				return b, err == nil
			}}})
		}
		written := int64(0)
		full := errors.New("full")
		err := m.run(func(p []float32, channels int) error {
			if channels < 1 || len(p)%channels != 0 {
				t.Fatalf("%d samples in %d channels", len(p), channels)
			}
			if written += int64(len(p) / channels); written > longest+int64(len(sent)) {
				return full
			}
			return nil
		})
		if err != nil {
			t.Fatalf("%d bytes gave more than %d samples", len(sent), written)
		}
	})
}

func FuzzBrokenOff(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x08ftyp\x00\x00\x00\x09mdat"))
	f.Add([]byte("\x00\x00\x00\x01mdat\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"))
	f.Fuzz(func(_ *testing.T, clip []byte) { brokenOff(bytes.NewReader(clip), int64(len(clip))) })
}
