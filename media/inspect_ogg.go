package media

import (
	"bytes"
	"encoding/binary"

	"hark/media/internal/ogg"
)

// inspectOgg reads the codec's header on the first pages and the last granule
// position in the last 64 KiB.
func inspectOgg(b *blocks, format Format) (Info, error) {
	head, err := b.head(0, SniffLen)
	if err != nil {
		return Info{}, refuseBroken(err)
	}
	serial, rate, skip := oggStream(head, format)
	tailAt := max(0, b.size-blockSize)
	tail, err := b.head(tailAt, blockSize)
	if err != nil {
		return Info{}, refuseBroken(err)
	}
	granule, found := lastGranule(tail, serial)
	if !found && tailAt == 0 {
		return Info{}, refuseNoSound()
	}
	info := Info{Format: format}
	if found && rate > 0 {
		info.Duration = seconds(float64(granule-skip), rate)
	}
	return info, nil
}

// oggStream finds the stream of the format among the first pages, and what its
// granule positions count: rate units a second, after skip units.
func oggStream(head []byte, format Format) (serial uint32, rate float64, skip int64) {
	for len(head) > 0 {
		page, size, err := ogg.ParseUnchecked(head)
		if err != nil || !page.First {
			break
		}
		head = head[size:]
		switch p := page.Body; {
		case format == OggOpus && bytes.HasPrefix(p, []byte("OpusHead")) && len(p) >= 19:
			return page.Serial, 48000, int64(binary.LittleEndian.Uint16(p[10:]))
		case format == OggVorbis && bytes.HasPrefix(p, []byte("\x01vorbis")) && len(p) >= 16:
			return page.Serial, float64(binary.LittleEndian.Uint32(p[12:])), 0
		case format == OggSpeex && bytes.HasPrefix(p, []byte("Speex   ")) && len(p) >= 40:
			return page.Serial, float64(binary.LittleEndian.Uint32(p[36:])), 0
		case format == OggFLAC && bytes.HasPrefix(p, []byte("\x7FFLAC")) && len(p) >= 17+10+4:
			return page.Serial, float64(binary.BigEndian.Uint32(p[17+10:]) >> 12), 0
		}
	}
	return 0, 0, 0
}

// lastGranule returns the last granule position in tail, of the stream with
// the serial number when there is one (a chained file ends in another). It
// reports false when sound ends on no page there.
func lastGranule(tail []byte, serial uint32) (int64, bool) {
	granule, found, match := int64(0), false, false
	for {
		next := bytes.Index(tail, []byte("OggS"))
		if next < 0 {
			return granule, found
		}
		tail = tail[next:]
		if len(tail) >= 27 {
			g := int64(binary.LittleEndian.Uint64(tail[6:]))
			own := binary.LittleEndian.Uint32(tail[14:]) == serial
			if g > 0 && (own || !match) {
				granule, found, match = g, true, match || own
			}
		}
		tail = tail[4:]
	}
}
