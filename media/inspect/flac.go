package inspect

import (
	"encoding/binary"

	"hark/media"
)

// inspectFLAC reads STREAMINFO and steps over the other metadata blocks to see
// that frames follow (RFC 9639, section 8).
func inspectFLAC(b *blocks, format media.Format) (Info, error) {
	info, at := Info{Format: format}, int64(len("fLaC"))
	for range maxChunks {
		head, err := b.head(at, 4+18)
		if err != nil || len(head) < 4 {
			return Info{}, refuseNoSound()
		}
		last, kind := head[0]&0x80 != 0, head[0]&0x7F
		if kind == 0 && len(head) == 4+18 {
			packed := binary.BigEndian.Uint64(head[4+10:]) // 20 bits rate, 3 channels, 5 depth, 36 samples
			info.Duration = seconds(float64(packed&(1<<36-1)), float64(packed>>44))
		}
		at += 4 + int64(head[1])<<16 + int64(head[2])<<8 + int64(head[3])
		if last {
			break
		}
	}
	if at >= b.size {
		return Info{}, refuseNoSound()
	}
	return info, nil
}
