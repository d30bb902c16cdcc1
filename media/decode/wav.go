package decode

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"hark/media/internal/riff"
)

// Bounds on what a header may claim before it is believed.
const (
	maxChannels = 64
	minRate     = 1000    // Hz
	maxRate     = 768_000 // Hz
)

// maxWAVParts is how many stretches of samples of one file are decoded. Servers
// that answer in pieces send thousands.
const maxWAVParts = 500_000

// decodeWAV decodes plain WAV: integers of 8 to 32 bits, floats, A-law and
// mu-law. Compressed encodings are unsupported. What lies behind the samples is
// read on: more of them, or another file that was joined to this one.
func decodeWAV(src *io.SectionReader, out *pcmSink) error {
	wav, err := riff.Parse(src, src.Size())
	if err != nil {
		return fmt.Errorf("read WAV headers: %w", err)
	}
	var failure error
	for n := range maxWAVParts {
		if wav.Open {
			at, err := joinedWAV(src, wav, out)
			if err != nil {
				return err
			}
			if at >= 0 {
				wav = wav.Until(at)
			}
		}
		err := decodePart(src, wav, out)
		if n > 0 && errors.Is(err, errUnsupported) {
			failure, err = err, losePart(wav, out)
		}
		if err != nil {
			return err
		}
		if wav, err = wav.Next(src, src.Size()); errors.Is(err, riff.ErrNoData) {
			return failure
		} else if err != nil {
			return fmt.Errorf("read WAV headers: %w", err)
		}
	}
	return fmt.Errorf("more than %d stretches of samples in a WAV", maxWAVParts)
}

// losePart gives silence in place of samples in an encoding that is not decoded
// here, behind others that were.
func losePart(wav riff.WAV, out *pcmSink) error {
	seconds := float64(wav.DataSize) / float64(max(1, wav.ByteRate))
	if wav.Frames > 0 {
		seconds = float64(wav.Frames) / float64(wav.SampleRate)
	}
	lasts := time.Duration(min(seconds, 3600) * float64(time.Second))
	return out.silence(min(lasts, longestHole))
}

// joinedWAV looks for another file in samples whose end no header tells, and
// returns its offset, or -1.
func joinedWAV(src *io.SectionReader, wav riff.WAV, out *pcmSink) (int64, error) {
	const window, overlap = 64 << 10, 11
	b := make([]byte, window)
	for at, end := wav.Data, wav.Data+wav.DataSize; at < end; at += window - overlap {
		n, err := io.ReadFull(out.reader(io.NewSectionReader(src, at, end-at)), b)
		if out.failed != nil {
			return 0, out.failed
		}
		if found := riff.Joined(b[:n]); found >= 0 {
			return at + int64(found), nil
		}
		if err != nil {
			break
		}
	}
	return -1, nil
}

// decodePart decodes one stretch of samples.
func decodePart(src *io.SectionReader, wav riff.WAV, out *pcmSink) error {
	if wav.Channels > maxChannels || wav.SampleRate < minRate || wav.SampleRate > maxRate {
		return fmt.Errorf("%w: WAV of %d channels at %d Hz", errUnsupported, wav.Channels, wav.SampleRate)
	}
	width, convert := sampleReader(wav)
	if convert == nil {
		return fmt.Errorf("%w: WAV encoding %#x with %d bits", errUnsupported, wav.Encoding, wav.Bits)
	}
	if out.rate != wav.SampleRate {
		out.start(wav.SampleRate)
	}
	frame := width * wav.Channels
	frames := max(1, blockSamples/wav.Channels)
	r := bufio.NewReaderSize(io.NewSectionReader(src, wav.Data, wav.DataSize), 64<<10)
	raw, p := make([]byte, frames*frame), make([]float32, frames*wav.Channels)
	for {
		n, err := io.ReadFull(r, raw)
		n -= n % frame
		count := n / width
		convert(p[:count], raw[:n])
		if err := out.write(p[:count], wav.Channels); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("read WAV samples: %w", err)
		}
	}
}

// sampleReader returns the bytes that one sample takes and a function that
// converts len(p) of them, or nil for an encoding that it does not know.
func sampleReader(w riff.WAV) (width int, convert func(p []float32, b []byte)) {
	width = (w.Bits + 7) / 8
	if stored := w.BlockAlign / w.Channels; w.BlockAlign%w.Channels == 0 && stored > width && stored <= 4 && w.Encoding == riff.PCM {
		width = stored // fewer bits, left-justified in a wider box
	}
	switch {
	case w.Encoding == riff.PCM && width == 1:
		return width, fromU8
	case w.Encoding == riff.PCM && width == 2:
		return width, fromS16
	case w.Encoding == riff.PCM && width == 3:
		return width, fromS24
	case w.Encoding == riff.PCM && width == 4:
		return width, fromS32
	case w.Encoding == riff.Float && width == 4:
		return width, fromF32
	case w.Encoding == riff.Float && width == 8:
		return width, fromF64
	case w.Encoding == riff.ALaw && width == 1:
		return width, fromTable(alawTable())
	case w.Encoding == riff.MuLaw && width == 1:
		return width, fromTable(mulawTable())
	}
	return 0, nil
}

func fromU8(p []float32, b []byte) {
	for i := range p {
		p[i] = (float32(b[i]) - 128) / 128
	}
}

func fromS16(p []float32, b []byte) {
	for i := range p {
		p[i] = float32(int16(binary.LittleEndian.Uint16(b[2*i:]))) / (1 << 15)
	}
}

func fromS24(p []float32, b []byte) {
	for i := range p {
		v := int32(uint32(b[3*i])<<8 | uint32(b[3*i+1])<<16 | uint32(b[3*i+2])<<24)
		p[i] = float32(v) / (1 << 31)
	}
}

func fromS32(p []float32, b []byte) {
	for i := range p {
		p[i] = float32(int32(binary.LittleEndian.Uint32(b[4*i:]))) / (1 << 31)
	}
}

func fromF32(p []float32, b []byte) {
	for i := range p {
		p[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
}

func fromF64(p []float32, b []byte) {
	for i := range p {
		p[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])))
	}
}

func fromTable(table *[256]float32) func([]float32, []byte) {
	return func(p []float32, b []byte) {
		for i := range p {
			p[i] = table[b[i]]
		}
	}
}

// alawTable expands A-law (ITU-T G.711).
func alawTable() *[256]float32 {
	var table [256]float32
	for i := range table {
		v := i ^ 0x55
		mantissa, exponent := v&15, v>>4&7
		level := mantissa<<4 + 8
		if exponent > 0 {
			level = (level + 0x100) << (exponent - 1)
		}
		if v&0x80 == 0 {
			level = -level
		}
		table[i] = float32(level) / (1 << 15)
	}
	return &table
}

// mulawTable expands mu-law (ITU-T G.711).
func mulawTable() *[256]float32 {
	var table [256]float32
	for i := range table {
		v := ^i
		level := ((v&15)<<3+0x84)<<(v>>4&7) - 0x84
		if v&0x80 != 0 {
			level = -level
		}
		table[i] = float32(level) / (1 << 15)
	}
	return &table
}
