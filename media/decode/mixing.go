package decode

import (
	"math"

	"hark/media"
)

// mixBlock is how many samples are mixed at a time.
const mixBlock = 4096

// span is a stretch of samples.
type span struct{ start, end int64 }

// voice is one track on its way into the mix.
type voice struct {
	placer
	block timedBlock // the next that is not mixed to its end; none if over
	over  bool
	peak  float32 // of what was heard
	gaps  []span  // silence between its sound, in the time of the mix
	count int64   // blocks that were heard
	total int64   // their samples
	ends  int64   // the end of its latest block, in the time of the mix
}

// mixer puts the tracks of a clip together, each at its time. One track keeps
// its channels. Several are made mono; the first, third and so on make the left
// channel and the others the right, so that caller and callee can be heard
// apart. On each side they are added up, as loud as each is: an average would
// make one voice quiet for every silent track beside it. What gets too loud so
// is limited.
type mixer struct {
	voices   []*voice
	declared int64 // length of the file in samples, as it says; 0 for unknown
	longest  int64 // samples that the message may have; 0 means no limit
	at       int64 // of the next block of the mix
	skipped  int64 // samples of silence that were not believed
	mixed    []float32
	channels int
}

// run mixes everything and gives it to write.
func (m *mixer) run(write func(p []float32, channels int) error) error {
	for _, v := range m.voices {
		m.pull(v)
	}
	for {
		begins, any := m.begins()
		if !any {
			return nil
		}
		if begins > m.at && !m.believe(begins) {
			m.skip(begins - m.at)
			begins = m.at
		}
		n := int(min(begins-m.at, mixBlock))
		if n < mixBlock {
			n = m.mix()
		} else {
			m.silence()
		}
		if err := write(m.mixed[:n*m.channels], m.channels); err != nil {
			return err
		}
		m.at += int64(n)
	}
}

// pull gets a voice's next block.
func (m *mixer) pull(v *voice) {
	b, ok := v.place()
	if !ok {
		v.over = true
		return
	}
	b.at -= m.skipped
	if b.at > v.ends && v.ends > 0 && len(v.gaps) < mostLost {
		v.gaps = append(v.gaps, span{v.ends, b.at})
	}
	v.block = b
	v.ends = b.at + b.frames()
	v.count++
	v.total += b.frames()
	v.peak = max(v.peak, peak(b.sound))
}

// begins is where the first sound is that is still to be mixed.
func (m *mixer) begins() (at int64, any bool) {
	at = math.MaxInt64
	for _, v := range m.voices {
		if !v.over {
			at, any = min(at, v.block.at), true
		}
	}
	return at, any
}

// believe reports whether nothing was to be heard until a time. Silence alone
// never makes a message too long.
func (m *mixer) believe(until int64) bool {
	most := media.Samples(longestGap)
	if m.declared > 0 && until <= m.declared+media.SampleRate {
		most = media.Samples(declaredGap)
	}
	return until-m.at <= most && (m.longest == 0 || until < m.longest)
}

// skip leaves silence out, from all voices.
func (m *mixer) skip(n int64) {
	m.skipped += n
	for _, v := range m.voices {
		if v.over {
			continue
		}
		if last := len(v.gaps) - 1; last >= 0 && v.gaps[last].end == v.block.at {
			v.gaps = v.gaps[:last]
		}
		v.block.at -= n
		v.ends -= n
	}
}

// mix fills m.mixed with what the voices have from m.at on, and returns how
// many samples (of each channel) that is: a block, or less at the end.
func (m *mixer) mix() int {
	m.silence()
	filled := 0
	for i, v := range m.voices {
		filled = max(filled, m.mixVoice(v, i%2))
	}
	if len(m.voices) > 1 {
		limit(m.mixed)
	}
	return filled
}

// silence fills m.mixed with as much silence as it holds.
func (m *mixer) silence() {
	m.channels = 2
	if len(m.voices) == 1 {
		m.channels = m.voices[0].block.channels
	}
	if need := mixBlock * m.channels; cap(m.mixed) < need {
		m.mixed = make([]float32, need)
	}
	m.mixed = m.mixed[:mixBlock*m.channels]
	clear(m.mixed)
}

// mixVoice adds a voice, to one of two sides, to the block at m.at, as far as the block goes, and
// returns where in it the voice's sound ends.
func (m *mixer) mixVoice(v *voice, side int) (filled int) {
	for !v.over {
		from := v.block.at - m.at
		if from >= mixBlock || len(m.voices) == 1 && v.block.channels != m.channels {
			return filled
		}
		done := max(0, -from) // was mixed with the block before
		n := min(v.block.frames()-done, mixBlock-max(0, from))
		m.add(v.block.sound[done*int64(v.block.channels):], v.block.channels, side, int(max(0, from)), int(n))
		filled = int(max(0, from) + n)
		if done+n < v.block.frames() {
			return mixBlock
		}
		m.pull(v)
	}
	return filled
}

// add adds n samples of each channel to the mix from a place on: to all
// channels, or, where there are several voices, to one side.
func (m *mixer) add(sound []float32, channels, side, place, n int) {
	if len(m.voices) == 1 {
		for i, x := range sound[:n*channels] {
			m.mixed[place*channels+i] += x
		}
		return
	}
	for i := range n {
		var sum float32
		for _, x := range sound[i*channels : (i+1)*channels] {
			sum += x
		}
		m.mixed[2*(place+i)+side] += tame(sum / float32(channels))
	}
}

// limit bends what is louder than the knee towards full scale.
func limit(p []float32) {
	const knee = 0.8
	for i, x := range p {
		if x > knee || x < -knee {
			bent := knee + (1-knee)*float32(math.Tanh((math.Abs(float64(x))-knee)/(1-knee)))
			p[i] = float32(math.Copysign(float64(bent), float64(x)))
		}
	}
}
