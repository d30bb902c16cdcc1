// Package picture makes the picture of a person out of whatever they send: a square JPEG,
// or a PNG where something can be seen through, of one size, with nothing of the file left
// in it but what it shows.
//
// What comes in is foreign bytes. It is known by them and not by what it is called
// (JPEG, PNG, WebP and GIF are taken), refused by the size that its header declares before a
// pixel is decoded, decoded by memory-safe code for a bounded time, and never passed on.
// Of a picture that moves, the first frame is taken. EXIF data and all else is dropped,
// after the picture was turned as it says.
//
// One picture of the greatest size takes up to 400 MB while it is decoded (a progressive
// JPEG does), so the caller bounds how many are.
package picture

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"time"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"hark/media"
)

// The bounds of what is taken, and what is made of it.
const (
	MaxBytes  = 8 << 20    // of the file
	MaxPixels = 24_000_000 // as its header declares them
	Side      = 256        // pixels of the square that is made

	maxTime = 10 * time.Second // that decoding may take
	quality = 85               // of a JPEG that is made
)

// Picture is a picture that was made.
type Picture struct {
	Bytes []byte
	PNG   bool // and else a JPEG
}

// format is a kind of picture that is taken.
type format struct {
	magic  string // its first bytes; a question mark stands for any
	decode func(io.Reader) (image.Image, error)
	config func(io.Reader) (image.Config, error)
}

var formats = []format{
	{"\xFF\xD8\xFF", jpeg.Decode, jpeg.DecodeConfig},
	{"\x89PNG\r\n\x1A\n", png.Decode, png.DecodeConfig},
	{"GIF8?a", gif.Decode, gif.DecodeConfig}, // its first frame
	{"RIFF????WEBP", webp.Decode, webp.DecodeConfig},
}

// foreign are kinds of file that people take for a picture, by bytes in their head.
var foreign = []struct{ magic, name string }{
	{"????ftyphei", "HEIC"}, {"????ftypmif1", "HEIC"}, {"????ftypavif", "AVIF"}, {"BM", "BMP"}, {"II*\x00", "TIFF"}, {"MM\x00*", "TIFF"}, {"%PDF", "PDF"},
}

// Make makes the picture of a person of a file. Its error is a [media.Refusal] where no
// picture can be made of it, and ctx's cause where ctx ended.
func Make(ctx context.Context, file []byte) (Picture, error) {
	f, err := sniff(file)
	if err != nil {
		return Picture{}, err
	}
	file = firstFrame(file)
	config, err := f.config(bytes.NewReader(file))
	if err != nil {
		return Picture{}, refuseDamaged(err)
	}
	if config.Width <= 0 || config.Height <= 0 {
		return Picture{}, refuseDamaged(errors.New("it has no pixels"))
	}
	if config.Width > MaxPixels/config.Height {
		return Picture{}, media.Refuse(media.TooLarge, nil, "The picture has %d × %d pixels, more than the %d million that can be taken. Send a smaller copy.",
			config.Width, config.Height, MaxPixels/1_000_000)
	}
	full, err := decode(ctx, f, file)
	if err != nil {
		return Picture{}, err
	}
	return encode(turn(square(full), orientation(file)))
}

// sniff says what a file is by its first bytes.
func sniff(file []byte) (format, error) {
	if len(file) == 0 {
		return format{}, media.Refuse(media.NotPicture, nil, "The file is empty.")
	}
	if len(file) > MaxBytes {
		return format{}, media.Refuse(media.TooLarge, nil, "The picture is larger than the %s that can be taken. Send a smaller copy.", media.FormatBytes(MaxBytes))
	}
	for _, f := range formats {
		if begins(file, f.magic) {
			return f, nil
		}
	}
	name := ""
	for _, f := range foreign {
		if begins(file, f.magic) {
			name = f.name
		}
	}
	head := bytes.ToLower(file[:min(len(file), 1<<10)])
	if bytes.Contains(head, []byte("<svg")) {
		name = "SVG"
	}
	if name != "" {
		return format{}, media.Refuse(media.NotPicture, nil, "%s is not taken. Send the picture as JPEG, PNG, WebP or GIF.", name)
	}
	return format{}, media.Refuse(media.NotPicture, nil, "This is no picture that can be taken. Send a JPEG, PNG, WebP or GIF.")
}

// begins says whether a file begins with the bytes of a pattern.
func begins(file []byte, pattern string) bool {
	if len(file) < len(pattern) {
		return false
	}
	for i := range len(pattern) {
		if pattern[i] != '?' && file[i] != pattern[i] {
			return false
		}
	}
	return true
}

var errTime = errors.New("decoding took too long")

// decode decodes a file. Decoders know no context: what they read ends with it.
func decode(ctx context.Context, f format, file []byte) (image.Image, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, maxTime, errTime)
	defer cancel()
	full, err := f.decode(&reader{ctx: ctx, Reader: bytes.NewReader(file)})
	switch {
	case errors.Is(context.Cause(ctx), errTime) && err != nil:
		return nil, media.Refuse(media.OverBudget, err, "The picture took too long to decode. Send a smaller copy.")
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, refuseDamaged(err)
	}
	if b := full.Bounds(); b.Empty() {
		return nil, refuseDamaged(errors.New("it has no pixels"))
	}
	return full, nil
}

type reader struct {
	*bytes.Reader
	ctx context.Context
}

// Read is bytes.Reader's, a piece at a time, until the context ends.
func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p[:min(len(p), 4<<10)])
}

// ReadByte is bytes.Reader's, until the context ends.
func (r *reader) ReadByte() (byte, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.ReadByte()
}

// square is the middle of a picture, scaled.
func square(full image.Image) *image.RGBA {
	b := full.Bounds()
	side := min(b.Dx(), b.Dy())
	corner := b.Min.Add(image.Pt((b.Dx()-side)/2, (b.Dy()-side)/2))
	made := image.NewRGBA(image.Rect(0, 0, Side, Side))
	draw.CatmullRom.Scale(made, made.Bounds(), full, image.Rectangle{Min: corner, Max: corner.Add(image.Pt(side, side))}, draw.Src, nil)
	return made
}

func encode(made *image.RGBA) (Picture, error) {
	var out bytes.Buffer
	if made.Opaque() {
		err := jpeg.Encode(&out, made, &jpeg.Options{Quality: quality})
		return Picture{Bytes: out.Bytes()}, err
	}
	err := png.Encode(&out, made)
	return Picture{Bytes: out.Bytes(), PNG: true}, err
}

func refuseDamaged(err error) error {
	return media.Refuse(media.NotPicture, err, "The picture is damaged and cannot be opened. Send another copy.")
}
