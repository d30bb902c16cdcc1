package opus

// skipped is how much is cut from the start of what is decoded, in samples at
// media.SampleRate: what an encoder needs to get going. [Writer] says the same
// to who decodes its files, so that times in a recording and in its file agree.
const skipped = (preSkip + divide/2) / divide

// Decoder turns the packets of a recording, while it is made, into mono sound
// at media.SampleRate that is continuous in time: gaps are filled as
// [Stream.Conceal] does, and what begins before the end of what was decoded is
// dropped. Its sound is, sample for sample, at the place at which decoding the
// recording's file gives it. A Decoder is not safe for concurrent use.
type Decoder struct {
	stream *Stream
	end    int64 // samples decoded, what was skipped included
}

// NewDecoder makes a Decoder at the start of a recording.
func NewDecoder() (*Decoder, error) {
	stream, err := NewStream(1)
	if err != nil {
		return nil, err
	}
	return &Decoder{stream: stream}, nil
}

// Decode gives the sound up to the end of p to sink, in portions of at most
// 120 ms that are sink's until it returns. It returns sink's first error, or an
// [ErrPacket] when p's bytes are no packet: p then counts as lost. Of bytes
// that are formed like a packet but do not decode, the sound is made up.
//
// A gap is filled however long it is: who takes positions from strangers must
// bound them.
func (d *Decoder) Decode(p Packet, sink func([]float32) error) error {
	if _, err := Samples(p.Data); err != nil {
		return err
	}
	start := p.Position / divide
	if start < d.end {
		return nil
	}
	give := func(pcm []float32) error { return d.give(pcm, sink) }
	if start > d.end {
		if err := d.stream.Conceal(start-d.end, p.Data, give); err != nil {
			return err
		}
	}
	pcm, _ := d.stream.Decode(p.Data, nil)
	return give(pcm)
}

// give counts samples and hands on those that are not skipped.
func (d *Decoder) give(pcm []float32, sink func([]float32) error) error {
	n := min(max(skipped-d.end, 0), int64(len(pcm)))
	d.end += int64(len(pcm))
	if pcm = pcm[n:]; len(pcm) == 0 {
		return nil
	}
	return sink(pcm)
}
