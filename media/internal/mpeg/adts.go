package mpeg

const adtsHeader = 7 // bytes of a header without a checksum

// ADTSSize returns the length in bytes of the ADTS frame of AAC at the start
// of b (ISO 13818-7, 6.2), or 0 when there is none. Seven bytes are looked at.
func ADTSSize(b []byte) int {
	if len(b) < adtsHeader || b[0] != 0xFF || b[1]&0xF6 != 0xF0 || b[2]>>2&15 > 12 {
		return 0
	}
	size := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5]>>5)
	if size < adtsHeader {
		return 0
	}
	return size
}
