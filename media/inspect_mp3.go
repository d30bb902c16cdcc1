package media

import (
	"hark/media/internal/mpeg"
)

const mp3Search = 64 << 10 // bytes in which the first frame must be found

// inspectMP3 steps over ID3 tags of any size, finds the first frame, and takes
// the duration from the tag of the encoder, or from the bit rate when samples
// of it across the clip are all the same.
func inspectMP3(b *blocks, _ Format) (Info, error) {
	at := int64(0)
	for range 4 { // some writers put a tag before a tag
		head, err := b.head(at, 10)
		if err != nil {
			return Info{}, refuseBroken(err)
		}
		tag := mpeg.ID3Size(head)
		if tag == 0 {
			break
		}
		at += tag
	}
	window, err := b.head(at, mp3Search)
	if err != nil {
		return Info{}, refuseBroken(err)
	}
	if format, ok := sniffMagic(window); ok && at > 0 {
		return inspectors[format](&blocks{r: offsetReader{b, at}, size: b.size - at}, format)
	}
	if at > 0 && mpeg.IsADTS(window) {
		return Info{Format: AAC}, nil
	}
	first, h := mpeg.Find(window, at+int64(len(window)) == b.size)
	if first < 0 {
		return Info{}, Refuse(Damaged, nil, "The MP3 file holds no sound that can be read. Send the original file again.")
	}
	info := Info{Format: MP3}
	if tag, ok := mpeg.ParseTag(h, window[first:]); ok {
		if at+int64(first+h.Size) >= b.size {
			return Info{}, refuseNoSound()
		}
		info.Duration = seconds(float64(tag.Frames)*float64(h.Samples)-float64(tag.Delay+tag.Padding), float64(h.SampleRate))
	} else if constantRate(b, at, h) {
		info.Duration = seconds(float64(b.size-at-int64(first))*8, float64(h.Bitrate))
	}
	return info, nil
}

// constantRate looks at frames in three more places after offset at.
func constantRate(b *blocks, at int64, first mpeg.Header) bool {
	for i := range int64(3) {
		window, err := b.head(at+(b.size-at)*(i+1)/4, 8<<10)
		if err != nil {
			return false
		}
		if f, h := mpeg.Find(window, false); f < 0 || h.Bitrate != first.Bitrate {
			return false
		}
	}
	return true
}

// offsetReader reads b from an offset on.
type offsetReader struct {
	b  *blocks
	at int64
}

// ReadAt reads from an offset of the reader below.
func (r offsetReader) ReadAt(p []byte, at int64) (int, error) { return r.b.ReadAt(p, r.at+at) }
