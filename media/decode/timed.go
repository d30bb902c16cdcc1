package decode

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"hark/media"
	"hark/media/internal/ebml"
)

const (
	maxTimedBlock    = 16 << 20 // bytes
	maxTimedChannels = 256
	blockHead        = 4 // track number, time and flags before a block's sound
)

// timedBlock is a stretch of sound with its time in the file.
type timedBlock struct {
	at       int64 // samples at [media.SampleRate], exact to a millisecond
	channels int
	sound    []float32 // interleaved
}

func (b timedBlock) frames() int64 { return int64(len(b.sound) / b.channels) }

// timedReader reads sound and its time stamps from a child: one track of
// 32-bit floats in Matroska, which is the plainest form that has both. What
// the child sends is believed no more than the clip.
type timedReader struct {
	r        *bufio.Reader
	channels int
	cluster  int64 // ms
}

func newTimedReader(r io.Reader) *timedReader {
	return &timedReader{r: bufio.NewReaderSize(r, 64<<10), channels: 1}
}

var errTimed = errors.New("output of ffmpeg is not Matroska audio")

// next returns the next block that has sound, or io.EOF, also when the child
// ended within a block. Elements within elements are read as if they followed
// one another: no other order makes sense.
func (t *timedReader) next() (timedBlock, error) {
	for {
		id, size, err := t.head()
		if err != nil {
			return timedBlock{}, err
		}
		switch id {
		case ebml.Segment, ebml.Tracks, ebml.TrackEntry, ebml.Audio, ebml.Cluster, ebml.BlockGroup:
			continue
		}
		if size < 0 || size > maxTimedBlock {
			return timedBlock{}, fmt.Errorf("%w: an element of %d bytes", errTimed, size)
		}
		switch id {
		case ebml.Timestamp:
			n, err := t.number(size)
			if err != nil {
				return timedBlock{}, err
			}
			t.cluster = int64(min(n, 1<<45)) // a thousand years
		case ebml.Channels:
			n, err := t.number(size)
			if err != nil {
				return timedBlock{}, err
			}
			if n < 1 || n > maxTimedChannels {
				return timedBlock{}, fmt.Errorf("%w: %d channels", errTimed, n)
			}
			t.channels = int(n)
		case ebml.SimpleBlock, ebml.Block:
			b, err := t.block(size)
			if err != nil || b.frames() > 0 {
				return b, err
			}
		default:
			if _, err := t.r.Discard(int(size)); err != nil {
				return timedBlock{}, ended(err)
			}
		}
	}
}

func (t *timedReader) block(size int64) (timedBlock, error) {
	raw := make([]byte, size)
	if _, err := io.ReadFull(t.r, raw); err != nil {
		return timedBlock{}, ended(err)
	}
	if size < blockHead {
		return timedBlock{}, fmt.Errorf("%w: a block of %d bytes", errTimed, size)
	}
	ms := t.cluster + int64(int16(binary.BigEndian.Uint16(raw[1:])))
	raw = raw[blockHead:]
	raw = raw[:len(raw)/(4*t.channels)*(4*t.channels)]
	b := timedBlock{at: ms * media.SampleRate / 1000, channels: t.channels, sound: make([]float32, len(raw)/4)}
	fromF32(b.sound, raw)
	return b, nil
}

// head reads the head of the next element: its size is -1 when not known.
func (t *timedReader) head() (id uint32, size int64, err error) {
	b, err := t.r.Peek(ebml.MaxHead)
	id, size, length := ebml.Head(b)
	switch {
	case length > 0:
		_, err = t.r.Discard(length)
	case length < 0:
		err = fmt.Errorf("%w: not an element", errTimed)
	}
	return id, size, ended(err)
}

func (t *timedReader) number(size int64) (uint64, error) {
	if size > 8 {
		return 0, fmt.Errorf("%w: a number of %d bytes", errTimed, size)
	}
	b, err := t.r.Peek(int(size))
	if err != nil {
		return 0, ended(err)
	}
	v := ebml.Uint(b)
	_, err = t.r.Discard(len(b))
	return v, err
}

// ended makes the end of a child that died within an element an ordinary end:
// its exit tells what happened.
func ended(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}
