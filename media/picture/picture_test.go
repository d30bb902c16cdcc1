package picture

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"runtime"
	"strings"
	"testing"
	"time"

	"hark/media"
)

var red, green, blue, white = color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255}, color.RGBA{255, 255, 255, 255}

// corners has a colour in each quarter: of the top left, top right, bottom left and bottom
// right.
func corners(width, height int) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			p.SetRGBA(x, y, [][]color.RGBA{{red, green}, {blue, white}}[2*y/height][2*x/width])
		}
	}
	return p
}

func asJPEG(t testing.TB, p image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, p image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// exif is a segment of a JPEG with an orientation, a place and a thumbnail's text.
func exif(orientation uint16) []byte {
	tiff := []byte("MM\x00*\x00\x00\x00\x08\x00\x02")
	tiff = append(tiff, 0x01, 0x12, 0, 3, 0, 0, 0, 1, byte(orientation>>8), byte(orientation), 0, 0)
	tiff = append(tiff, 0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38) // the place, at 38
	tiff = append(tiff, 0, 0, 0, 0)
	tiff = append(tiff, 0, 1, 0, 1, 0, 2, 0, 0, 0, 4, 'N', 0, 0, 0, 0, 0, 0, 0)
	body := append([]byte("Exif\x00\x00"), tiff...)
	body = append(body, "GPS of the harbour"...)
	return append([]byte{0xFF, 0xE1, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
}

func withEXIF(file []byte, orientation uint16) []byte {
	return append(append(bytes.Clone(file[:2]), exif(orientation)...), file[2:]...)
}

func make1(t testing.TB, file []byte) (Picture, image.Image) {
	t.Helper()
	made, err := Make(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	shown, kind, err := image.Decode(bytes.NewReader(made.Bytes))
	if err != nil || (kind == "png") != made.PNG || shown.Bounds() != image.Rect(0, 0, Side, Side) {
		t.Fatalf("%v, %s of %v", err, kind, shown.Bounds())
	}
	return made, shown
}

func near(a, b color.Color) bool {
	r1, g1, b1, _ := a.RGBA()
	r2, g2, b2, _ := b.RGBA()
	far := func(x, y uint32) bool { return max(x, y)-min(x, y) > 0x1800 }
	return !far(r1, r2) && !far(g1, g2) && !far(b1, b2)
}

// TestOrientation: the picture is turned as EXIF says, and the EXIF is gone.
func TestOrientation(t *testing.T) {
	file := asJPEG(t, corners(400, 300))
	for n, want := range map[uint16][4]color.Color{
		0: {red, green, blue, white}, 1: {red, green, blue, white}, 2: {green, red, white, blue}, 3: {white, blue, green, red}, 4: {blue, white, red, green},
		5: {red, blue, green, white}, 6: {blue, red, white, green}, 7: {white, green, blue, red}, 8: {green, white, red, blue}, 9: {red, green, blue, white},
	} {
		made, shown := make1(t, withEXIF(file, n))
		for i, at := range []image.Point{{20, 20}, {Side - 20, 20}, {20, Side - 20}, {Side - 20, Side - 20}} {
			if got := shown.At(at.X, at.Y); !near(got, want[i]) {
				t.Errorf("orientation %d: %v at %v, not %v", n, got, at, want[i])
			}
		}
		if bytes.Contains(made.Bytes, []byte("Exif")) || bytes.Contains(made.Bytes, []byte("GPS")) {
			t.Errorf("orientation %d: EXIF is left", n)
		}
	}
}

// smallWebP is a lossy one of one pixel.
const smallWebP = "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"

func TestKinds(t *testing.T) {
	lossy, err := base64.StdEncoding.DecodeString(smallWebP)
	if err != nil {
		t.Fatal(err)
	}
	if made, _ := make1(t, lossy); made.PNG {
		t.Error("a WebP that nothing can be seen through became a PNG")
	}
	clear := corners(64, 64)
	clear.SetRGBA(0, 0, color.RGBA{})
	if made, _ := make1(t, asPNG(t, clear)); !made.PNG {
		t.Error("what can be seen through is lost")
	}
	var moving bytes.Buffer
	frames := &gif.GIF{}
	for range 200 {
		frames.Image = append(frames.Image, image.NewPaletted(image.Rect(0, 0, 10, 10), palette.Plan9))
		frames.Delay = append(frames.Delay, 1)
	}
	if err := gif.EncodeAll(&moving, frames); err != nil {
		t.Fatal(err)
	}
	make1(t, moving.Bytes())
	make1(t, animated(lossy))
	make1(t, asJPEG(t, corners(3000, 40)))
}

// animated is a WebP with a frame twice.
func animated(still []byte) []byte {
	frame := append([]byte("ANMF\x00\x00\x00\x00"), make([]byte, 16)...)
	frame = append(frame, still[12:]...)
	binary.LittleEndian.PutUint32(frame[4:], uint32(len(frame)-8))
	file := []byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0A\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00ANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	file = append(append(file, frame...), frame...)
	binary.LittleEndian.PutUint32(file[4:], uint32(len(file)-8))
	return file
}

// hugePNG is a PNG whose header declares a size, with little behind it.
func hugePNG(width, height uint32) []byte {
	chunk := func(name string, body []byte) []byte {
		c := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
		c = append(append(c, name...), body...)
		return binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	file := append([]byte("\x89PNG\r\n\x1A\n"), chunk("IHDR", append(head, 8, 2, 0, 0, 0))...)
	return append(append(file, chunk("IDAT", []byte("\x78\x9c\x63\x00\x00"))...), chunk("IEND", nil)...)
}

// TestRefused: what no picture can be made of is refused in words, and before it costs
// anything.
func TestRefused(t *testing.T) {
	photo := asJPEG(t, corners(640, 480))
	lyingJPEG := bytes.Clone(photo)
	at := bytes.Index(lyingJPEG, []byte{0xFF, 0xC0})
	copy(lyingJPEG[at+5:], []byte{0xFF, 0xFF, 0xFF, 0xFF})
	tallGIF := append([]byte("GIF89a\xFF\xFF\xFF\xFF\x00\x00\x00,\x00\x00\x00\x00\xFF\xFF\xFF\xFF\x00\x08"), make([]byte, 64)...)
	lyingGIF := append([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\xFF\xFF\xFF\xFF\x80\x00\x00\x00\xFF\xFF\xFF\x08"), make([]byte, 64)...)
	lyingWebP := []byte("RIFF\x2E\x00\x00\x00WEBPVP8X\x0A\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00VP8L\x0C\x00\x00\x00\x2F\xFF\xFF\xFF\x0F\x00\x00\x00\x00\x00\x00\x00")
	for what, c := range map[string]struct {
		file []byte
		kind media.Kind
		says string
	}{
		"nothing":             {nil, media.NotPicture, "empty"},
		"text":                {[]byte("<!doctype html><script>alert(1)</script>"), media.NotPicture, "no picture"},
		"SVG":                 {[]byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), media.NotPicture, "SVG is not taken"},
		"SVG behind a mark":   {[]byte("\xEF\xBB\xBF  <!-- x --><SVG>"), media.NotPicture, "SVG is not taken"},
		"HEIC":                {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), media.NotPicture, "HEIC is not taken"},
		"GIF that is script":  {[]byte("GIF89a/*\x00\x00\x00*/=1;alert(document.domain)//"), media.NotPicture, "damaged"},
		"half a JPEG":         {photo[:len(photo)/2], media.NotPicture, "damaged"},
		"a JPEG's head":       {photo[:20], media.NotPicture, "damaged"},
		"half a PNG":          {asPNG(t, corners(300, 300))[:400], media.NotPicture, "damaged"},
		"too many bytes":      {append(bytes.Clone(photo), make([]byte, MaxBytes)...), media.TooLarge, "larger than the"},
		"PNG of 50,000 x":     {hugePNG(50_000, 50_000), media.TooLarge, "50000 × 50000"},
		"PNG beyond an int":   {hugePNG(1<<31-1, 1<<31-1), "", ""},
		"PNG of no width":     {hugePNG(0, 10), media.NotPicture, "damaged"},
		"PNG without pixels":  {hugePNG(4000, 4000), media.NotPicture, "damaged"},
		"GIF of 65,535 x":     {tallGIF, media.TooLarge, "65535 × 65535"},
		"GIF larger than it":  {lyingGIF, media.NotPicture, "damaged"},
		"JPEG that lies":      {lyingJPEG, media.TooLarge, "65535 × 65535"},
		"WebP larger than it": {lyingWebP, media.NotPicture, "damaged"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Make(t.Context(), c.file)
		runtime.ReadMemStats(&after)
		refusal, ok := media.AsRefusal(err)
		if !ok || c.kind != "" && refusal.Kind != c.kind || !strings.Contains(refusal.Reason, c.says) {
			t.Errorf("%s: %v", what, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 80<<20 {
			t.Errorf("%s: %d MB", what, took>>20)
		}
	}
}

// TestPolyglot: what stands behind or within a picture is not in what is made of it.
func TestPolyglot(t *testing.T) {
	file := append(asPNG(t, corners(50, 50)), "<script>alert(1)</script>PK\x03\x04"...)
	made, _ := make1(t, file)
	if bytes.Contains(made.Bytes, []byte("script")) || bytes.Contains(made.Bytes, []byte("PK\x03\x04")) {
		t.Error("it is kept")
	}
}

// TestManyFrames: of a GIF of 10,000 frames only the first is decoded.
func TestManyFrames(t *testing.T) {
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{image.NewPaletted(image.Rect(0, 0, 1000, 1000), palette.Plan9)}, Delay: []int{0}}); err != nil {
		t.Fatal(err)
	}
	one := b.Bytes()
	at := 13 + 3*256 // behind the head and the colours
	file := bytes.Clone(one[:len(one)-1])
	for len(file)+len(one) < MaxBytes && bytes.Count(file, []byte{0, 0x2C}) < 10_000 {
		file = append(file, one[at:len(one)-1]...)
	}
	begun := time.Now()
	make1(t, append(file, 0x3B))
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Make(ctx, asJPEG(t, corners(500, 500))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzMake(f *testing.F) {
	photo := asJPEG(f, corners(40, 30))
	lossy, _ := base64.StdEncoding.DecodeString(smallWebP)
	for _, seed := range [][]byte{photo, withEXIF(photo, 6), asPNG(f, corners(20, 20)), hugePNG(50_000, 50_000), lossy, animated(lossy), []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00,"), nil, []byte("<svg")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if k, err := sniff(file); err == nil {
			if c, err := k.config(bytes.NewReader(firstFrame(file))); err == nil && c.Width*c.Height > 1<<20 && c.Width <= MaxPixels/max(1, c.Height) {
				t.Skip("large pictures are slow, and decoded as others are")
			}
		}
		made, err := Make(t.Context(), file)
		if err != nil {
			if _, ok := media.AsRefusal(err); !ok {
				t.Fatal(err)
			}
			return
		}
		if c, _, err := image.DecodeConfig(bytes.NewReader(made.Bytes)); err != nil || c.Width != Side || c.Height != Side {
			t.Fatalf("%v: %+v", err, c)
		}
	})
}
