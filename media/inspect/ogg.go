package inspect

import (
	"bytes"
	"encoding/binary"
	"time"

	"hark/media"
	"hark/media/internal/ogg"
)

// maxFirstPage is how long the sound of a first page may be. Where its granule
// position is further on, the positions do not count from the beginning.
const maxFirstPage = 30 * time.Second

// inspectOgg reads the codec's header on the first pages, and the granule
// positions on them and in the last 64 KiB. Positions are hints: there are
// writers that never count them, and such that begin anywhere.
func inspectOgg(b *blocks, format media.Format) (Info, error) {
	head, err := b.head(0, blockSize)
	if err != nil {
		return Info{}, refuseBroken(err)
	}
	s := oggStream(head, format)
	first, second, packets := firstGranules(head, s.serial)
	tailAt := max(0, b.size-blockSize)
	tail, err := b.head(tailAt, blockSize)
	if err != nil {
		return Info{}, refuseBroken(err)
	}
	last, found := lastGranule(tail, s.serial)
	if !found && packets <= oggHeaders[format] && tailAt == 0 {
		return Info{}, refuseNoSound()
	}
	info := Info{Format: format}
	if found && s.rate > 0 {
		if seconds(float64(first), s.rate) > maxFirstPage {
			s.skip = first - max(0, second-first) // a page is about as long as the next
		}
		info.Duration = seconds(float64(last-s.skip), s.rate)
	}
	return info, nil
}

// oggHeaders are how many packets of headers each codec has at least.
var oggHeaders = map[media.Format]int{media.OggOpus: 2, media.OggVorbis: 3, media.OggFLAC: 2, media.OggSpeex: 2}

// oggInfo is what the header of a stream says: its granule positions count rate
// units a second, after skip units.
type oggInfo struct {
	serial uint32
	rate   float64
	skip   int64
}

// oggStream finds the stream of the format among the first pages.
func oggStream(head []byte, format media.Format) oggInfo {
	for len(head) > 0 {
		page, size, err := ogg.ParseUnchecked(head)
		if err != nil || !page.First {
			break
		}
		head = head[size:]
		if found, _ := oggCodec(page.Body); found != format {
			continue
		}
		if format == media.OggOpus && len(page.Body) >= 19 {
			return oggInfo{page.Serial, 48000, int64(binary.LittleEndian.Uint16(page.Body[10:]))}
		}
		if rate, ok := ogg.Rate(page.Body); ok {
			return oggInfo{page.Serial, float64(rate), 0}
		}
	}
	return oggInfo{}
}

// firstGranules returns the first two granule positions of a stream that are
// more than 0, which are 0 when there are none in head, and how many packets end
// there.
func firstGranules(head []byte, serial uint32) (first, second int64, packets int) {
	for len(head) > 0 {
		page, size, err := ogg.ParseUnchecked(head)
		if err != nil {
			break
		}
		head = head[size:]
		if page.Serial != serial {
			continue
		}
		for _, n := range page.Segments {
			if n < 255 {
				packets++
			}
		}
		switch {
		case page.Granule > 0 && first == 0:
			first = page.Granule
		case page.Granule > 0 && second == 0:
			second = page.Granule
		}
	}
	return first, second, packets
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
