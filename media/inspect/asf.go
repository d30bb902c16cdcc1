package inspect

import (
	"bytes"
	"encoding/binary"
	"time"

	"hark/media"
)

const (
	asfHeaderSize = 30 // bytes of the header object before the objects in it
	asfMaxPlay    = 1 << 40
	asfFormatTag  = 78 // offset in a stream's properties of the WAVEFORMATEX that describes sound
)

var (
	asfProperties = []byte("\xA1\xDC\xAB\x8C\x47\xA9\xCF\x11\x8E\xE4\x00\xC0\x0C\x20\x53\x65")
	asfStream     = []byte("\x91\x07\xDC\xB7\xB7\xA9\xCF\x11\x8E\xE6\x00\xC0\x0C\x20\x53\x65")
	asfAudio      = []byte("\x40\x9E\x69\xF8\x4D\x5B\xCF\x11\xA8\xFD\x00\x80\x5F\x5C\x44\x2B")
)

// inspectASF walks the objects in the header of a WMA or WMV file for its
// duration and for a stream of sound.
func inspectASF(b *blocks, format media.Format) (Info, error) {
	head, err := b.head(0, asfHeaderSize)
	if err != nil || len(head) < asfHeaderSize {
		return Info{}, refuseNoSound()
	}
	info, streams := Info{Format: format}, 0
	var codecs []codec
	end := int64(binary.LittleEndian.Uint64(head[16:]))
	if end < 0 || end >= b.size {
		return Info{}, refuseNoSound()
	}
	for at, n := int64(asfHeaderSize), 0; at+24 <= end && n < maxChunks; n++ {
		object, err := b.head(at, 88)
		if err != nil || len(object) < 24 {
			break
		}
		switch {
		case bytes.HasPrefix(object, asfProperties) && len(object) == 88:
			play := binary.LittleEndian.Uint64(object[64:]) // in 100 ns, the preroll included
			preroll := time.Duration(binary.LittleEndian.Uint64(object[80:])&(1<<32-1)) * time.Millisecond
			if play < asfMaxPlay {
				info.Duration = max(0, time.Duration(play)*100-preroll)
			}
		case bytes.HasPrefix(object, asfStream) && len(object) >= 40:
			streams++
			if bytes.Equal(object[24:40], asfAudio) && len(object) >= asfFormatTag+2 {
				codecs = append(codecs, wavCodec(binary.LittleEndian.Uint16(object[asfFormatTag:])))
			}
		}
		length := int64(binary.LittleEndian.Uint64(object[16:]))
		if length < 24 || length > end-at {
			break
		}
		at += length
	}
	if streams > 0 && len(codecs) == 0 {
		return Info{}, refuseSilentVideo()
	}
	return info, judge(codecs)
}
