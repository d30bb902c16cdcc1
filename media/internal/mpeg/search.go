package mpeg

// The number of frames, one confirmed by the next, that are believed to be
// sound. Where other bytes may stand before them, two may look so by chance.
const (
	AtOnce     = 2
	AfterOther = 3
)

// Starts reports whether b starts with frames of layer II or III: want of them
// in a row, or as many as there is room for, and at least one. When atEnd, b
// ends where the stream does.
func Starts(b []byte, want int, atEnd bool) bool {
	first, ok := Parse(b)
	if !ok {
		return false
	}
	for at, n := first.Size, 1; n < want; n++ {
		rest := b[min(at, len(b)):]
		if len(rest) < HeaderSize {
			return endsWell(n, want, atEnd && at == len(b))
		}
		h, ok := Parse(rest)
		if !ok || !h.Follows(first) {
			return isTrailer(rest)
		}
		at += h.Size
	}
	return true
}

// ADTSStarts is [Starts] for frames of AAC in ADTS.
func ADTSStarts(b []byte, want int, atEnd bool) bool {
	at := ADTSSize(b)
	if at == 0 {
		return false
	}
	for n := 1; n < want; n++ {
		rest := b[min(at, len(b)):]
		if len(rest) < adtsHeader {
			return endsWell(n, want, atEnd && at == len(b))
		}
		size := ADTSSize(rest)
		if size == 0 || rest[1] != b[1] || rest[2]&0xFC != b[2]&0xFC { // the same version, profile and rate
			return isTrailer(rest)
		}
		at += size
	}
	return true
}

// endsWell judges n frames behind which there is no room for another header:
// exactly is set when the last of them ends where the stream does. One that
// runs past the end is believed only where nothing else can stand before it.
func endsWell(n, want int, exactly bool) bool {
	return exactly || want == AtOnce || n >= AtOnce
}

// isTrailer reports whether b starts with a tag that stands behind sound.
func isTrailer(b []byte) bool {
	for _, magic := range []string{"TAG", "APETAGEX", "LYRICSBEGIN", "ID3"} {
		if len(b) >= len(magic) && string(b[:len(magic)]) == magic {
			return true
		}
	}
	return false
}

// apeHeader is the length in bytes of the header, and of the footer, of an APE tag.
const apeHeader = 32

// APESize returns the whole length in bytes of the APE tag (version 2) that
// starts with its header at the start of b, or 0 when there is none.
func APESize(b []byte) int64 {
	const isHeader = 1 << 29
	if len(b) < apeHeader || string(b[:8]) != "APETAGEX" || le32(b[20:])&isHeader == 0 {
		return 0
	}
	return apeHeader + int64(le32(b[12:]))
}

func le32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}
