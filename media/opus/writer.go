package opus

import (
	"errors"
	"fmt"
	"io"

	"hark/media/internal/ogg"
)

const (
	// pageSamples is the most that a page holds: 400 ms.
	pageSamples = Rate * 4 / 10
	// MaxBytes is the length of the longest packet that is written. A longer
	// one can hold nothing but padding beyond it (RFC 7845, section 6).
	MaxBytes = 61_440
)

// ErrClosed is returned by a [Writer] that was closed.
var ErrClosed = errors.New("the recording is closed")

// Writer writes the packets of a recording to a file of Opus in Ogg (RFC 7845)
// in which sound stands at the time at which it was said: what is missing
// between packets is filled. It is not safe for concurrent use.
//
// Every page is given to the io.Writer in one call, is whole in itself (no
// packet goes over from one to the next) and lasts 400 ms at most. So what is
// written is at any time a file that [Repair] can end, with all sound up to
// [Writer.Position] at the last [Writer.FlushPage].
//
// A granule position counts what a decoder makes of the packets, and a player
// drops the first 312 samples of that. To make up for them Close lets the
// decoder conceal as many at the end, so that a file lasts as long as what was
// said.
type Writer struct {
	w      io.Writer
	page   ogg.Page // being filled; Granule is its end
	start  int64    // where it begins
	buf    []byte
	silent []filling
	toc    byte // first byte of the last packet
	heard  bool // there was one
	err    error
}

// NewWriter writes the headers of a recording of 1 or 2 channels, a page each.
// Serial should be another for each recording.
func NewWriter(w io.Writer, channels int, serial uint32) (*Writer, error) {
	if channels != 1 && channels != 2 {
		return nil, fmt.Errorf("write Ogg/Opus: %d channels, want 1 or 2", channels)
	}
	o := &Writer{w: w, page: ogg.Page{Serial: serial, First: true}, silent: silent(channels)}
	for _, header := range [][]byte{idHeader(channels), commentHeader()} {
		o.page.Add(header)
		if err := o.emit(); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// Write adds a packet. A gap before it is filled: 100 ms with packets that ask
// a player to conceal the loss, the rest with silence; a gap of an hour takes
// 0.8 MB. Who takes positions from strangers must bound them. A packet that
// begins before the end of the last one comes too late, and is dropped.
//
// Bytes that are no packet are an [ErrPacket], and change nothing, nor do
// packets longer than [MaxBytes]. An error of the io.Writer is returned now
// and by all calls after.
func (w *Writer) Write(p Packet) error {
	if w.err != nil {
		return w.err
	}
	if len(p.Data) > MaxBytes {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrPacket, len(p.Data), MaxBytes)
	}
	samples, err := Samples(p.Data)
	if err != nil {
		return err
	}
	gap := p.Position - w.page.Granule
	if gap < 0 {
		return nil
	}
	if err := w.fill(gap); err != nil {
		return err
	}
	w.toc, w.heard = p.Data[0], true
	return w.add(p.Data, int64(samples))
}

// Position returns where the last packet ended, in samples: how long the file
// lasts once it is closed. It is behind the packet's own end by less than 2.5 ms
// when there was a gap before it that no packets fit exactly.
func (w *Writer) Position() int64 { return w.page.Granule }

// FlushPage writes what is not written yet as a page.
func (w *Writer) FlushPage() error {
	if w.err != nil || len(w.page.Segments) == 0 {
		return w.err
	}
	return w.emit()
}

// Close writes what is not written yet and marks the end of the stream. It does
// not close the io.Writer. Closing again does nothing.
func (w *Writer) Close() error {
	if errors.Is(w.err, ErrClosed) {
		return nil
	}
	if err := w.FlushPage(); err != nil {
		return err
	}
	w.page.Last = true
	w.page.Granule += preSkip
	toc := w.toc
	if !w.heard {
		toc = silent(1)[1].data[0]
	}
	w.page.Add(ending(toc))
	err := w.emit()
	w.page.Granule -= preSkip
	if err == nil {
		w.err = ErrClosed
	}
	return err
}

// ending returns a packet without content of at least [preSkip] samples, of
// the kind of the packet that begins with toc. As many as are too many are
// trimmed (RFC 7845, section 4.4).
func ending(toc byte) []byte {
	frame := frameSamples[toc>>3]
	if frame >= preSkip {
		return []byte{toc &^ 3}
	}
	return []byte{toc | 3, byte((preSkip + frame - 1) / frame)}
}

// add puts a packet on the page, and on the next if there is no room.
func (w *Writer) add(packet []byte, samples int64) error {
	if w.page.Granule+samples-w.start > pageSamples || !w.page.Add(packet) {
		if err := w.emit(); err != nil {
			return err
		}
		w.page.Add(packet)
	}
	w.page.Granule += samples
	if w.page.Granule-w.start >= pageSamples {
		return w.emit()
	}
	return nil
}

// emit writes the page and begins the next.
func (w *Writer) emit() error {
	w.buf = w.page.Append(w.buf[:0])
	if _, err := w.w.Write(w.buf); err != nil {
		w.err = fmt.Errorf("write Ogg page: %w", err)
		return w.err
	}
	w.start = w.page.Granule
	w.page.First = false
	w.page.Sequence++
	w.page.Segments, w.page.Body = w.page.Segments[:0], w.page.Body[:0]
	return nil
}
