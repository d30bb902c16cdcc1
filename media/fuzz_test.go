package media_test

import (
	"bytes"
	"testing"
	"time"

	"hark/media"
)

// seeds are the beginnings of all kinds of files.
func seeds(f *testing.F) {
	for _, s := range []string{
		"", "text", "\xFF\xD8\xFF\xE0", "PK\x03\x04",
		"\xFF\xFB\x50\xC4", "\xFF\xF1\x50\x80\x02\x00\x00", "ID3\x04\x00\x00\x00\x00\x00\x05extra\xFF\xFB\x50\xC4",
		"fLaC\x80\x00\x00\x22\x10\x00\x10\x00\x00\x00\x00\x00\x00\x00\x0A\xC4\x40\xF0\x00\x01\x58\x88",
		"\x00\x00\x00\x0cftypM4A \x00\x00\x00\x10moov\x00\x00\x00\x08trak\x00\x00\x00\x00mdat",
		"\x00\x00\x00\x01mdat\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
		"\x1A\x45\xDF\xA3\x80\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x16\x54\xAE\x6B\x85\xAE\x83\x83\x81\x02\x1F\x43\xB6\x75\x81\x00",
		"OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead\x01\x01\x38\x01\x80\xBB\x00\x00\x00\x00\x00",
		"caff\x00\x01\x00\x00desc\x00\x00\x00\x00\x00\x00\x00\x20", "FORM\x00\x00\x00\x20AIFFCOMM\x00\x00\x00\x12", ".snd\x00\x00\x00\x18",
		"\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C\x40\x00\x00\x00\x00\x00\x00\x00",
		string(wav(36+8, 8, 4)), string(wav(0xFFFFFFFF, 0xFFFFFFFF, 4)),
	} {
		f.Add([]byte(s))
	}
}

func FuzzSniff(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, head []byte) {
		format, err := media.Sniff(head)
		if _, ok := media.AsRefusal(err); (format == "") != ok {
			t.Fatalf("got %q and %v", format, err)
		}
		if format != "" && format.Extension() == ".bin" {
			t.Fatalf("format %q has no name", format)
		}
	})
}

func FuzzInspect(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, clip []byte) {
		r := &counted{Reader: bytes.NewReader(clip)}
		info, err := media.Inspect(r, int64(len(clip)), media.Limits{MaxDuration: time.Hour})
		if _, ok := media.AsRefusal(err); (err != nil) != ok {
			t.Fatalf("%v is no Refusal", err)
		}
		if r.reads > 48 || info.Duration < 0 || err == nil && info.Duration > time.Hour {
			t.Fatalf("%d reads, %+v, %v", r.reads, info, err)
		}
	})
}
