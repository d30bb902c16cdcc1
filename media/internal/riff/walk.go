package riff

import (
	"bytes"
	"encoding/binary"
	"io"
)

const (
	maxChunks = 1024 // chunks looked at before the data; a real file has a handful
	// search is how far the chunks are looked for whose place no length tells.
	search = 64 << 10
	// leastRest is how many milliseconds of what follows the samples are
	// taken for more of them, where it is no chunk.
	leastRest = 100
)

// walk goes from chunk to chunk. What it has found so far is in WAV.
type walk struct {
	WAV
	r    io.ReaderAt
	size int64 // of the whole file
	from int64 // offset of the RIFF header
	at   int64 // of the next chunk

	data64 int64    // length of the samples by the ds64 chunk; -1 without one
	early  [2]int64 // offset and length of samples that come before their format
	empty  bool     // there was a chunk of no samples
}

// parseFile reads the file that begins at an offset with its RIFF header.
func parseFile(r io.ReaderAt, from, size int64) (WAV, error) {
	k := walk{r: r, size: size, from: from, at: from + 12, data64: -1}
	w, err := k.toSamples()
	if err != nil && !k.empty {
		if length, ok := k.rescue(); ok {
			return k.found(length)
		}
	}
	return w, err
}

// toSamples goes to the next chunk of samples.
func (k *walk) toSamples() (WAV, error) {
	for range maxChunks {
		var chunk [12]byte
		if n, _ := readAt(k.r, chunk[:], k.at); n < 8 {
			return k.WAV, k.missing()
		}
		if Is(chunk[:]) {
			return parseFile(k.r, k.at, k.size)
		}
		length := int64(binary.LittleEndian.Uint32(chunk[4:]))
		k.at += 8
		switch string(chunk[:4]) {
		case "ds64":
			var sizes [16]byte
			if _, err := readAt(k.r, sizes[:], k.at); err == nil && length >= 16 {
				k.data64 = int64(binary.LittleEndian.Uint64(sizes[8:]))
			}
		case "fmt ":
			if err := k.parseFormat(k.r, k.at, length); err != nil {
				return k.WAV, err
			}
			if k.early[0] > 0 {
				k.at += length
				return k.found(k.early[1])
			}
		case "fact":
			var frames [4]byte
			if _, err := readAt(k.r, frames[:], k.at); err == nil && length >= 4 {
				k.Frames = int64(binary.LittleEndian.Uint32(frames[:]))
			}
		case "LIST":
			if string(chunk[8:]) == "wavl" { // samples and silences in turn
				k.at += 4
				continue
			}
		case "data":
			if w, ok, err := k.samples(length); ok {
				return w, err
			}
		}
		k.at += length
		if length&1 != 0 && !k.chunk(k.at) {
			k.at++
		}
	}
	return k.WAV, k.missing()
}

// samples takes a chunk of samples at k.at. It reports false for one that is to
// be passed over: it is empty, or its format is still to come.
func (k *walk) samples(length int64) (w WAV, found bool, err error) {
	switch {
	case k.Channels == 0:
		k.early = [2]int64{k.at, length}
		return k.WAV, false, nil
	case length == 0 && k.follows(k.at):
		k.empty = true
		return k.WAV, false, nil
	}
	w, err = k.found(length)
	return w, true, err
}

// found ends the walk at samples of a declared length. A length of 0 or of all
// ones is what a recorder writes that does not know it yet, and one that is too
// short is what one writes that was killed or that counts in 32 bits: the rest
// is sound then.
func (k *walk) found(length int64) (WAV, error) {
	if k.Channels == 0 {
		return k.WAV, ErrNoFormat
	}
	at := k.at
	if k.early[0] > 0 {
		at, k.early[0] = k.early[0], 0
	}
	rest := max(0, k.size-at)
	k.Promised, k.Finished = 0, k.from+8+k.declared() == k.size
	if !leftOpen(length) || !leftOpen(k.declared()) {
		k.Promised = length
	}
	if length == 0xFFFFFFFF && k.data64 > 0 {
		length, k.Promised = k.data64, k.data64
	}
	end := at + length
	switch {
	case length == 0 || length > rest:
		k.Open, length = true, rest
	case !k.follows(end) && !k.follows(end+length&1) && (rest-length)*1000 >= k.ByteRate*leastRest:
		k.Open, length = true, rest
	default:
		k.Open = false
		if length&1 != 0 && !k.chunk(end) {
			end++
		}
	}
	k.Data, k.DataSize = at, length
	k.next = max(end, k.at)
	if k.Open {
		k.next = k.size
	}
	if k.DataSize < int64(k.BlockAlign) || k.DataSize == 0 {
		return k.WAV, ErrNoData
	}
	return k.WAV, nil
}

// declared is the length that the RIFF header tells.
func (k *walk) declared() int64 {
	var head [8]byte
	if _, err := readAt(k.r, head[:], k.from); err != nil {
		return 0
	}
	return int64(binary.LittleEndian.Uint32(head[4:]))
}

// follows reports whether what is at an offset comes after samples: the end of
// the file, a tag, another file, or chunks up to one of these.
func (k *walk) follows(at int64) bool {
	for n := range maxChunks {
		var head [12]byte
		got, _ := readAt(k.r, head[:], at)
		id := head[:4]
		switch {
		case got < 8:
			return n > 0 || at >= k.size
		case Is(head[:]), string(id) == "data":
			return true
		case bytes.HasPrefix(id, []byte("TAG")), bytes.HasPrefix(id, []byte("ID3")) && head[3] < 16, string(head[:8]) == "APETAGEX":
			return true
		case !printable(id):
			return false
		}
		length := int64(binary.LittleEndian.Uint32(head[4:]))
		if at+8+length > k.size {
			return string(id) == "LIST" || n > 0
		}
		at += 8 + length
		if length&1 != 0 && !k.chunk(at) {
			at++
		}
	}
	return false
}

func printable(id []byte) bool {
	for _, c := range id {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// chunk reports whether a chunk of a usual kind begins at an offset. After one
// of odd length some writers leave out the byte that fills it up.
func (k *walk) chunk(at int64) bool {
	var id [4]byte
	if _, err := readAt(k.r, id[:], at); err != nil {
		return false
	}
	switch string(id[:]) {
	case "fmt ", "data", "LIST", "fact", "RIFF", "cue ", "bext":
		return true
	}
	return false
}

// rescue looks for the format and the samples near the file's start without
// believing the lengths of chunks. It moves behind the head of the samples and
// returns their length.
func (k *walk) rescue() (length int64, ok bool) {
	b := make([]byte, search)
	n, _ := k.r.ReadAt(b, k.from+12) // what cannot be read is not found
	b = b[:n]
	format := bytes.Index(b, []byte("fmt "))
	if format < 0 {
		return 0, false
	}
	data := format + bytes.Index(b[format:], []byte("data"))
	if data < format+24 || data+8 > n || k.parseFormat(k.r, k.from+12+int64(format)+8, int64(data-format-8)) != nil {
		return 0, false
	}
	k.at, k.early[0] = k.from+12+int64(data)+8, 0
	return int64(binary.LittleEndian.Uint32(b[data+4:])), true
}

func (k *walk) missing() error {
	if k.Channels == 0 {
		return ErrNoFormat
	}
	return ErrNoData
}
