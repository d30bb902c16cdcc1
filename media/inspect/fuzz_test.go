package inspect_test

import (
	"bytes"
	"testing"
	"time"

	"hark/media"
	"hark/media/inspect"
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
		"ID3\x03\x00\x00\x00\x00\x00\x02xxID3\x04\x00\x10\x00\x00\x00\x0112345678901\xFF\xFB\x50\xC4",
		"APETAGEX\xD0\x07\x00\x00\x20\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\xA0\x00\x00\x00\x00\x00\x00\x00\x00" + string(wav(36+8, 8, 4)),
		"ID3\x03\x00\x00\x7F\x7F\x7F\x7F\xFF\xFB\x50\xC4", string(make([]byte, 70_000)) + "fLaC\x80\x00\x00\x22",
		"riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00wave\xF3\xAC\xD3\x11\x8C\xD1\x00\xC0\x4F\x8E\xDB\x8A" +
			"fmt \xF3\xAC\xD3\x11\x8C\xD1\x00\xC0\x4F\x8E\xDB\x8A\x28\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00",
	} {
		f.Add([]byte(s))
	}
}

func FuzzSniff(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, head []byte) {
		format, err := inspect.Sniff(head)
		if _, ok := media.AsRefusal(err); (format == "") != ok {
			t.Fatalf("got %q and %v", format, err)
		}
		if format != "" && format.Extension() == ".bin" {
			t.Fatalf("format %q has no name", format)
		}
	})
}

// FuzzLocate asks that a clip begins within its file, and that what is found
// there is what stands there.
func FuzzLocate(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		r := &counted{Reader: bytes.NewReader(file)}
		format, at, err := inspect.Locate(r, int64(len(file)))
		if _, ok := media.AsRefusal(err); (err != nil) != ok || (format == "") != ok {
			t.Fatalf("%q, %v", format, err)
		}
		if r.reads > 48 || at < 0 || format != "" && at >= int64(len(file)) {
			t.Fatalf("%s at %d of %d after %d reads", format, at, len(file), r.reads)
		}
		if format == "" {
			return
		}
		if again, err := inspect.Sniff(file[at:]); err != nil || again != format {
			t.Fatalf("%s at %d is %q, %v, when it stands alone", format, at, again, err)
		}
	})
}

func FuzzInspect(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, clip []byte) {
		r := &counted{Reader: bytes.NewReader(clip)}
		info, err := inspect.Clip(r, int64(len(clip)), media.Limits{MaxDuration: time.Hour})
		if _, ok := media.AsRefusal(err); (err != nil) != ok {
			t.Fatalf("%v is no Refusal", err)
		}
		if r.reads > 48 || info.Duration < 0 || err == nil && info.Duration > time.Hour {
			t.Fatalf("%d reads, %+v, %v", r.reads, info, err)
		}
	})
}
