package opus

import (
	"bytes"
	"encoding/binary"
)

// preSkip is how many samples a player drops at the start (RFC 7845, section
// 4.2): the 6.5 ms by which the encoders of browsers, all of them libopus, lag
// behind what they hear.
const preSkip = 312

const vendor = "hark"

// idHeader is the identification header (RFC 7845, section 5.1).
func idHeader(channels int) []byte {
	b := append([]byte("OpusHead"), 1, byte(channels))
	b = binary.LittleEndian.AppendUint16(b, preSkip)
	b = binary.LittleEndian.AppendUint32(b, Rate)
	return append(b, 0, 0, 0) // no gain, channel mapping family 0
}

// commentHeader is the comment header (RFC 7845, section 5.2), of no comments.
func commentHeader() []byte {
	b := []byte("OpusTags")
	b = binary.LittleEndian.AppendUint32(b, uint32(len(vendor)))
	b = append(b, vendor...)
	return binary.LittleEndian.AppendUint32(b, 0)
}

// parseHead returns the pre-skip in an identification header.
func parseHead(b []byte) (skip int64, ok bool) {
	if len(b) < 19 || !bytes.HasPrefix(b, []byte("OpusHead")) || b[8]>>4 != 0 {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint16(b[10:])), true
}

func isComments(b []byte) bool { return bytes.HasPrefix(b, []byte("OpusTags")) }
