package decode

import (
	"time"

	"hark/media"
)

// handOver is how an in-process decoder hands a clip to ffmpeg that it has read
// for its structure, with what it found there.
type handOver struct {
	cause error
	first int64         // offset of the first frame
	holes []span        // of lost sound, in the sound as it is to be given; ffmpeg passes over them
	after time.Duration // that was lost behind the end
	joins int           // places where ffmpeg complains, since another form of frames begins, and nothing is wrong
}

func (h *handOver) Error() string { return h.cause.Error() }

// Unwrap returns why the decoder does not decode the clip.
func (h *handOver) Unwrap() error { return h.cause }

// newHandOver takes what a first reading of an MP3 found.
func newHandOver(cause error, parts []*mp3Part, after time.Duration) *handOver {
	h := &handOver{cause: cause, first: parts[0].at, after: after}
	var at time.Duration
	for i, p := range parts {
		if hole := p.lasts(p.hole); hole >= leastLost {
			h.holes = append(h.holes, span{media.Samples(at), media.Samples(at + hole)})
			at += hole
		}
		if i > 0 {
			h.joins++
		}
		start, _ := p.trim()
		if i > 0 {
			start = 0 // ffmpeg cuts the first part only
		}
		at += time.Duration(p.frames*int64(p.Samples)-int64(start)) * time.Second / time.Duration(p.SampleRate)
	}
	return h
}

// lost returns where in the sound something is missing.
func (h *handOver) lost() []span {
	if h == nil {
		return nil
	}
	return h.holes
}

// report notes what was lost, and returns whether the clip was damaged, also
// where ffmpeg, of which a number of packets failed, did not say so.
func (h *handOver) report(out *pcmSink, failed int) (damaged bool) {
	for _, hole := range h.holes {
		out.lost.add(media.Duration(hole.start), media.Duration(hole.end))
	}
	if h.after >= leastBehind {
		end := out.now()
		out.lost.add(end, end+h.after)
	}
	return len(h.holes) > 0 || h.after >= leastBehind || failed > h.joins
}
