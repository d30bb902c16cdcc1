package inspect

import (
	"bytes"
	"encoding/binary"

	"hark/media"
	"hark/media/internal/riff"
)

const (
	w64Header = 40 // bytes of the file's header: two GUIDs and a length
	w64Chunk  = 24 // bytes of a chunk's header: a GUID and the length of the chunk with it
)

// w64Tail is how the GUIDs of Wave64's chunks go on after their first letters.
var w64Tail = []byte("\xF3\xAC\xD3\x11\x8C\xD1\x00\xC0\x4F\x8E\xDB\x8A")

// inspectW64 reads the format and looks for samples in Sony's Wave64.
func inspectW64(b *blocks, format media.Format) (Info, error) {
	var wav riff.WAV
	at := int64(w64Header)
	for range maxChunks {
		head, err := b.head(at, w64Chunk)
		if err != nil || len(head) < w64Chunk || !bytes.Equal(head[4:16], w64Tail) {
			break
		}
		length := int64(binary.LittleEndian.Uint64(head[16:])) - w64Chunk
		at += w64Chunk
		switch string(head[:4]) {
		case "fmt ":
			chunk, err := b.head(at, int(max(0, min(length, 40))))
			if err != nil || len(chunk) < 14 {
				return Info{}, refuseNoSound()
			}
			if err := wav.ParseFormat(chunk); err != nil {
				return Info{}, refuseBroken(err)
			}
			if err := judgeWAV(wav); err != nil {
				return Info{}, err
			}
		case "data":
			rest := b.size - at
			if rest <= 0 || wav.Channels == 0 {
				return Info{}, refuseNoSound()
			}
			wav.DataSize = rest
			if length > 0 {
				wav.DataSize = min(length, rest)
			}
			return wavInfo(format, wav), nil
		}
		if length < 0 || length > b.size-at {
			break
		}
		at += (length + 7) &^ 7
	}
	return Info{}, refuseNoSound()
}
