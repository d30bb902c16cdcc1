package opus_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/thesyncim/gopus"

	"hark/media/internal/ogg"
	"hark/media/opus"
)

// repaired repairs a file, twice, and returns what came of it.
func repaired(t testing.TB, dir string, file []byte) ([]byte, opus.Info, error) {
	t.Helper()
	path := filepath.Join(dir, "left.opus")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := opus.Repair(f)
	after := read(t, path)
	if err != nil {
		if !bytes.Equal(after, file) {
			t.Fatal("a file that cannot be repaired was changed")
		}
		return nil, info, err
	}
	again, err := opus.Repair(f)
	if err != nil || again != info || !bytes.Equal(read(t, path), after) {
		t.Fatalf("repairing again gives %+v, %v; before %+v", again, err, info)
	}
	if info.Bytes != int64(len(after)) || !info.Ended {
		t.Fatalf("%+v of a file of %d bytes", info, len(after))
	}
	return after, info, nil
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A file that was cut anywhere becomes a whole one with everything up to the
// last page before the cut.
func TestRepairAfterEveryCut(t *testing.T) {
	dir := t.TempDir()
	for i, kind := range kinds {
		packets := tone(t, kind.mode, 1, kind.samples[0], 12)
		file, length := record(t, 1, packets, 0, 0, 0, 9600)
		ends := map[int]int64{} // bytes -> position
		at := 0
		for i, page := range pagesOf(t, file) {
			if at += page.Size(); i > 0 && !page.Last {
				ends[at] = page.Granule
			}
		}
		ends[len(file)] = length
		want, wantBytes := int64(-1), 0
		for cut := 0; cut <= len(file); cut++ {
			if end, ok := ends[cut]; ok {
				want, wantBytes = end, cut
			}
			if i > 0 && cut%7 > 0 { // every cut of one file will do
				continue
			}
			left := file[:cut:cut]
			if cut%2 == 1 { // as long as it was to be, with something else in it
				left = append(left, bytes.Repeat([]byte{0xA5}, 100)...)
			}
			got, info, err := repaired(t, dir, left)
			if want < 0 {
				if !errors.Is(err, opus.ErrNoHeader) {
					t.Fatalf("cut at %d: %v", cut, err)
				}
				continue
			}
			if err != nil || info.Samples != want || !bytes.Equal(got[:wantBytes], file[:wantBytes]) {
				t.Fatalf("%s cut at %d: %+v, %v; want %d samples", kind.name, cut, info, err, want)
			}
			packetsOf(t, got)
		}
	}
}

// What Repair makes of a file that was flushed is what Close would have made.
func TestRepairDoesAsClose(t *testing.T) {
	var file bytes.Buffer
	w, err := opus.NewWriter(&file, 1, 7)
	if err != nil {
		t.Fatal(err)
	}
	for i, packet := range tone(t, gopus.EncoderModeHybrid, 1, 960, 30) {
		if err := w.Write(opus.Packet{Position: int64(i) * 960, Samples: 960, Data: packet}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.FlushPage(); err != nil {
		t.Fatal(err)
	}
	got, info, err := repaired(t, t.TempDir(), bytes.Clone(file.Bytes()))
	if err != nil || info.Samples != w.Position() {
		t.Fatalf("%+v, %v", info, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, file.Bytes()) {
		t.Error("the files differ")
	}
	if n, _, err := repaired(t, t.TempDir(), append(file.Bytes(), "what does not belong here"...)); err != nil || !bytes.Equal(n, got) {
		t.Errorf("behind the end: %v", err)
	}
	scanned, err := opus.Scan(bytes.NewReader(got))
	if err != nil || scanned != info {
		t.Errorf("scan: %+v, %v; want %+v", scanned, err, info)
	}
}

// FuzzRepair asks that nothing that may lie in the folder brings Repair down,
// and that what it says is good is a file that any reader takes.
func FuzzRepair(f *testing.F) {
	file, _ := record(f, 1, tone(f, gopus.EncoderModeHybrid, 1, 960, 25), 0, 0, 960)
	f.Add(file)
	f.Add(file[:len(file)-10])
	f.Add(append(file[:300:300], file[320:]...))
	f.Add([]byte("OggS"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, file []byte) {
		got, info, err := repaired(t, dir, sign(file))
		if err != nil {
			return
		}
		if info.Samples < 0 {
			t.Errorf("%d samples", info.Samples)
		}
		pages := ogg.NewReader(bytes.NewReader(got))
		for {
			page, err := pages.Next()
			if err != nil || pages.Skipped() > 0 {
				t.Fatalf("no last page: %v", err)
			}
			if page.Last {
				return
			}
		}
	})
}

// sign puts the right checksum on what looks like a page, which a fuzzer cannot
// guess.
func sign(file []byte) []byte {
	var signed []byte
	for len(file) > 0 {
		page, n, err := ogg.ParseUnchecked(file)
		if err != nil {
			return append(signed, file...)
		}
		signed = page.Append(signed)
		file = file[n:]
	}
	return signed
}
