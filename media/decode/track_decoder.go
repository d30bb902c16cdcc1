package decode

import (
	"context"
	"errors"
	"io"
	"os"

	"hark/media/decode/confine"
)

// source is a clip that ffmpeg is to decode.
type source struct {
	d       *Decoder
	file    *os.File
	place   place // of the clip in file
	program string
	demuxer string
	decoder string // empty where ffmpeg knows it
}

// trackDecoder is a child that decodes one track, and what became of it.
type trackDecoder struct {
	ctx    context.Context // of the child
	stop   context.CancelFunc
	source source
	number int // of the track, among those of sound
	memory int64

	blocks chan timedBlock // closed when the child has ended and the rest is set
	log    *ffmpegLog
	err    error
	heard  bool // it gave sound
}

// startAll starts a child for each track that is heard, at least one. The
// first one's description of the file says which these are.
func (s source) startAll(ctx context.Context) []*trackDecoder {
	first := s.start(ctx, 0, s.d.cfg.MemoryBytes)
	if !severalTracks[s.demuxer] {
		return []*trackDecoder{first}
	}
	chosen := audible(first.log.list())
	if len(chosen) == 0 {
		return []*trackDecoder{first}
	}
	var all []*trackDecoder
	if chosen[0] == 0 {
		all, chosen = append(all, first), chosen[1:]
	} else {
		first.wait()
		all, chosen = append(all, s.start(ctx, chosen[0], s.d.cfg.MemoryBytes)), chosen[1:]
	}
	for _, number := range chosen {
		all = append(all, s.start(ctx, number, min(s.d.cfg.MemoryBytes, moreMemory)))
	}
	return all
}

func (s source) start(ctx context.Context, number int, memory int64) *trackDecoder {
	t := &trackDecoder{source: s, number: number, memory: memory}
	t.ctx, t.stop = context.WithCancel(ctx)
	t.start(false)
	return t
}

func (t *trackDecoder) start(anyChannels bool) {
	t.blocks, t.log, t.err = make(chan timedBlock, 4), newFFmpegLog(), nil
	go func() {
		defer close(t.blocks)
		t.err = t.source.d.confined.Run(t.ctx, confine.Child{
			Program:     t.source.program,
			Args:        t.source.args(t.number, anyChannels),
			Stdin:       t.source.file,
			Stderr:      t.log,
			MemoryBytes: t.memory,
		}, t.read)
		t.log.close()
	}()
}

// read hands on what the child sends.
func (t *trackDecoder) read(r io.Reader) error {
	timed := newTimedReader(r)
	for {
		b, err := timed.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case t.blocks <- b:
		case <-t.ctx.Done():
			return context.Cause(t.ctx)
		}
	}
}

// next returns the next block, and false after the last. A child that could
// not mix the channels to at most two, as nobody knows where each belongs, is
// started again to give them all.
func (t *trackDecoder) next() (timedBlock, bool) {
	b, ok := <-t.blocks
	if !ok && !t.heard && t.ctx.Err() == nil && says(t.log.complaint.String(), "Rematrix", "filter", "Filter") {
		t.start(true)
		b, ok = <-t.blocks
	}
	t.heard = t.heard || ok
	return b, ok
}

// wait ends the child, if it runs still, and waits for its end.
func (t *trackDecoder) wait() {
	t.stop()
	for range t.blocks { // until it is closed
		continue
	}
}
