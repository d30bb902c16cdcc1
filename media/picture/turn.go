package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"time"

	"github.com/bep/imagemeta"
)

// orientation is how a picture is to be turned, as EXIF numbers it (CIPA DC-008, tag
// 0x0112): 1 for not at all, which is also what holds where nothing can be read.
func orientation(file []byte) int {
	formats := map[string]imagemeta.ImageFormat{"\xFF\xD8\xFF": imagemeta.JPEG, "\x89PNG": imagemeta.PNG, "RIFF": imagemeta.WebP}
	for magic, f := range formats {
		if begins(file, magic) {
			return exifOrientation(file, f)
		}
	}
	return 1
}

// maxTags is how many tags are looked at; those of a camera's first directory are some 20.
const maxTags = 500

func exifOrientation(file []byte, f imagemeta.ImageFormat) int {
	found := 1
	_, err := imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(file), ImageFormat: f, Sources: imagemeta.EXIF, LimitNumTags: maxTags, Timeout: time.Second,
		ShouldHandleTag: func(tag imagemeta.TagInfo) bool { return tag.Tag == "Orientation" && tag.Namespace == "IFD0" },
		HandleTag: func(tag imagemeta.TagInfo) error {
			if n, ok := tag.Value.(uint16); ok && n >= 1 && n <= 8 {
				found = int(n)
			}
			return imagemeta.ErrStopWalking
		},
		Warnf: func(string, ...any) {},
	})
	if err != nil && !errors.Is(err, imagemeta.ErrStopWalking) {
		return 1 // data that cannot be read says nothing
	}
	return found
}

// turn turns a square as an orientation says.
func turn(p *image.RGBA, orientation int) *image.RGBA {
	if orientation == 1 {
		return p
	}
	turned := image.NewRGBA(p.Bounds())
	last := Side - 1
	for y := range Side {
		for x := range Side {
			fromX, fromY := x, y
			if orientation >= 5 { // the axes change places
				fromX, fromY = y, x
			}
			switch orientation {
			case 2, 8:
				fromX = last - fromX
			case 3, 7:
				fromX, fromY = last-fromX, last-fromY
			case 4, 6:
				fromY = last - fromY
			}
			turned.SetRGBA(x, y, p.RGBAAt(fromX, fromY))
		}
	}
	return turned
}

const (
	chunkHead = 8  // of a chunk of RIFF: its name and its length
	riffHead  = 12 // and of the file, with the form
	frameHead = 16 // of a frame, behind the chunk's
)

// firstFrame is the first frame of an animated WebP as a file of its own (WebP container
// specification, "Animation"), and any other file as it is.
func firstFrame(file []byte) []byte {
	if !begins(file, "RIFF????WEBPVP8X") || len(file) <= riffHead+chunkHead || file[riffHead+chunkHead]&0x02 == 0 {
		return file
	}
	for rest := file[riffHead:]; len(rest) >= chunkHead; {
		length := int64(binary.LittleEndian.Uint32(rest[4:8]))
		if length > int64(len(rest)-chunkHead) {
			return file
		}
		body := rest[chunkHead : chunkHead+length]
		if string(rest[:4]) == "ANMF" && length > frameHead {
			return stillOf(body[6:12], body[frameHead:])
		}
		rest = rest[min(int64(len(rest)), chunkHead+length+length%2):]
	}
	return file
}

// stillOf is a WebP of one frame: its size as a header has it, and its chunks.
func stillOf(size, chunks []byte) []byte {
	flags := byte(0)
	if bytes.HasPrefix(chunks, []byte("ALPH")) {
		flags = 0x10
	}
	still := []byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0A\x00\x00\x00")
	still = append(append(still, flags, 0, 0, 0), size...)
	still = append(still, chunks...)
	binary.LittleEndian.PutUint32(still[4:], uint32(len(still)-chunkHead))
	return still
}
