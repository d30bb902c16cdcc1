package decode

import (
	"fmt"
	"io"

	"hark/media"
	"hark/media/inspect"
	"hark/media/internal/riff"
)

// place is where in its file a clip stands.
type place struct {
	file  io.ReaderAt
	start int64 // offset of the clip's first byte
	end   int64 // offset of the first byte behind it
}

// findClip finds the clip of a format in the first size bytes of f, behind tags and
// padding: the decoders are shown nothing before it, since most of them know no
// prefix, and each another.
func findClip(f io.ReaderAt, size int64, format media.Format) place {
	found, start, err := inspect.Locate(f, size)
	if err != nil || found != format {
		start = 0 // the decoder will say what is wrong
	}
	return place{f, start, size}
}

func (p place) section() *io.SectionReader {
	return io.NewSectionReader(p.file, p.start, p.end-p.start)
}

// stdin is the name by which a confined child opens its standard input anew, to
// read at places of its own.
const stdin = "file:/proc/self/fd/0"

// input is what ffmpeg is to read, and the protocols that it may use for that.
// Offsets in the clip count from its start.
func (p place) input() (name, protocols string) {
	if p.start == 0 {
		return stdin, "file"
	}
	return fmt.Sprintf("subfile,,start,%d,end,%d,,:%s", p.start, p.end, stdin), "file,subfile"
}

// namedDecoders are the decoders for encodings of WAV that ffmpeg decodes but
// does not know by their format tag.
var namedDecoders = map[uint16]string{
	0x0065: "g722",
	0x1601: "aac", 0x1610: "aac",
	0x2222: "g729",
}

// namedDecoder is the decoder to name to ffmpeg; empty where it finds it itself.
func (p place) namedDecoder(format media.Format) string {
	if format != media.WAV {
		return ""
	}
	wav, err := riff.Parse(p.section(), p.end-p.start)
	if err != nil {
		return ""
	}
	return namedDecoders[wav.Encoding]
}
