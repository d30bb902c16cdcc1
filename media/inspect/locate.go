package inspect

import (
	"bytes"
	"encoding/binary"
	"io"

	"hark/media"
	"hark/media/internal/mpeg"
	"hark/media/internal/ogg"
	"hark/media/internal/riff"
)

const (
	// maxTags is how many tags and stretches of padding may stand before a clip.
	maxTags = 20
	// maxPadding is how many bytes that are neither tag nor clip may stand
	// there. A stretch of zeros may be as long; other bytes are searched within
	// one head of [SniffLen].
	maxPadding = 1 << 20
	// padRun is how many zeros at the end of a head mean that the padding goes on.
	padRun = 1 << 10
	// boxHead is how many bytes of an MP4 box stand before what tells it.
	boxHead = 8
)

// Locate says what a clip of size bytes is and at which offset it begins:
// behind tags (ID3v2, APE), zeros, and a few kilobytes of anything else. These
// are what taggers, recorders and broken downloads leave in front of every
// format, and players step over them.
//
// An error that is no Refusal means that r could not be read.
func Locate(r io.ReaderAt, size int64) (media.Format, int64, error) {
	b := &blocks{r: r, size: size}
	format, at, err := locate(b)
	if b.failed != nil {
		err = b.failed
	}
	return format, at, err
}

func locate(b *blocks) (media.Format, int64, error) {
	at, padding, tagged := int64(0), int64(0), false
	for range maxTags {
		head, err := b.head(at, SniffLen)
		if err != nil {
			return "", 0, refuseBroken(err)
		}
		if len(head) == 0 && !tagged {
			return "", 0, refuseEmpty()
		}
		found, err := search(head, at+int64(len(head)) == b.size, tagged)
		if err != nil {
			return "", 0, err
		}
		if found.format != "" {
			return found.format, at + found.at, nil
		}
		tagged = tagged || found.tagged
		if found.pad {
			padding += found.at
		} else if at+found.at >= b.size {
			found, err := searchTag(head, 0)
			return found.format, at + found.at, err
		}
		if padding > maxPadding {
			break
		}
		at += found.at
	}
	return "", 0, refuseNothingFound(tagged)
}

// finding is what a look at a stretch of a file tells. Without a format, it is
// to be looked at again from offset at on.
type finding struct {
	format media.Format
	at     int64
	tagged bool // a tag was met
	pad    bool // zeros go on at offset at; otherwise a tag ends there
}

// search looks for the beginning of a clip in head; whole says that the file
// ends there, and tagged that a tag stands before it.
func search(head []byte, whole, tagged bool) (finding, error) {
	at := int64(0)
	for {
		tag := tagSize(head[at:])
		if tag == 0 {
			break
		}
		if tag >= int64(len(head))-at {
			if !whole {
				return finding{at: at + tag, tagged: true}, nil
			}
			return searchTag(head[at:], at) // it claims more than there is
		}
		at, tagged = at+tag, true
	}
	format, err := begins(head[at:], whole)
	if err == nil && format == "" {
		err = foreign(head[at:])
	}
	if format != "" || err != nil {
		return finding{format: format, at: at}, err
	}
	if isText(head[at:]) {
		return finding{}, media.Refuse(media.NotAudio, nil, "This is a text file, not a recording.")
	}
	if found, ok := searchJunk(head, at, whole); ok {
		return found, nil
	}
	if !whole && len(head) > padRun && allZero(head[len(head)-padRun:]) {
		return finding{at: int64(len(head) - boxHead), tagged: tagged, pad: true}, nil
	}
	return finding{}, refuseNothingFound(tagged)
}

// searchTag looks into a tag that claims to go on beyond the end of the file,
// which is at an offset of it.
func searchTag(head []byte, at int64) (finding, error) {
	found, _ := searchJunk(head, 1, true)
	if found.format == "" {
		return finding{}, refuseNothingFound(true)
	}
	found.at += at
	return found, nil
}

// searchJunk looks, from an offset of head on, for a beginning that is sure
// enough to be believed among bytes that are not known.
func searchJunk(head []byte, from int64, whole bool) (finding, bool) {
	for i := from; i < int64(len(head)); i++ {
		b := head[i:]
		if tag := tagSize(b); tag > 0 {
			return finding{at: i + tag, tagged: true}, true
		}
		format := beginsSurely(b)
		if format == "" {
			format = sniffFrames(b, mpeg.AfterOther, whole)
		}
		if format != "" {
			return finding{format: format, at: i}, true
		}
	}
	return finding{}, false
}

// beginsSurely is begins for what chance does not make: whole headers of
// containers, with the values that they always have.
func beginsSurely(b []byte) media.Format {
	switch {
	case len(b) < 44:
		return ""
	case b[0] == 'R' || b[0] == 'B':
		if riff.Is(b) {
			return media.WAV
		}
	case b[0] == 'f' && string(b[:8]) == "fLaC\x00\x00\x00\x22", b[0] == 'f' && string(b[:8]) == "fLaC\x80\x00\x00\x22":
		return media.FLAC
	case b[0] == 'O' && string(b[:4]) == "OggS":
		return sureOgg(b)
	case b[0] == 0x1A && string(b[:4]) == "\x1A\x45\xDF\xA3":
		if bytes.Contains(b[:44], []byte("webm")) || bytes.Contains(b[:44], []byte("matroska")) {
			return media.WebM
		}
	case string(b[4:8]) == "ftyp":
		if size := binary.BigEndian.Uint32(b); size >= 16 && size <= 1024 && size%4 == 0 {
			format, _ := sniffBrand(b)
			return format
		}
	case bytes.IndexByte([]byte("F#c0r"), b[0]) >= 0:
		format, _ := sniffMagic(b)
		return format
	}
	return ""
}

// maxOggHead is how many bytes the first page of a stream may have, which holds
// the first packet and nothing else. It bounds the checksums that are made.
const maxOggHead = 512

// sureOgg tells a stream by its first page, if that is whole.
func sureOgg(b []byte) media.Format {
	if _, _, err := ogg.Parse(b[:min(len(b), maxOggHead)]); err != nil {
		return ""
	}
	format, _ := sniffOgg(b)
	return format
}

// tagSize returns the length in bytes of the tag at the start of b, or 0.
func tagSize(b []byte) int64 {
	if len(b) == 0 || b[0] != 'I' && b[0] != 'A' {
		return 0
	}
	return max(mpeg.ID3Size(b), mpeg.APESize(b))
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

func refuseNothingFound(tagged bool) error {
	if tagged {
		return media.Refuse(media.Damaged, nil, "The file begins with a tag, and holds no sound that can be read. Send the original file again.")
	}
	return media.Refuse(media.NotAudio, nil, "This is not a recording in a form that Hark knows.")
}
