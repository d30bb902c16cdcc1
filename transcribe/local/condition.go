package local

import "hark/media/filter"

// lowest is the frequency in Hz below which recordings carry wind, engines,
// steps, hum and a constant offset, and of a voice only what nobody needs to
// understand it.
const lowest = 110

// conditioner takes what is below the voice out of a clip, before anything
// measures, detects or recognises: a Butterworth high-pass of the fourth order.
// Not safe for concurrent use.
type conditioner struct {
	sections [2]filter.HighPass
	begun    bool
}

func newConditioner() *conditioner {
	return &conditioner{sections: [2]filter.HighPass{
		filter.NewHighPass(sampleRate, lowest, 0.54119610),
		filter.NewHighPass(sampleRate, lowest, 1.30656296),
	}}
}

// condition filters the next samples of the clip where they are. A clip that
// begins on an offset begins as if it had always been there, without a step.
func (c *conditioner) condition(samples []float32) {
	if len(samples) == 0 {
		return
	}
	if !c.begun {
		c.begun = true
		c.sections[0].Rest(float64(samples[0]))
	}
	for i, x := range samples {
		samples[i] = float32(c.sections[1].Next(c.sections[0].Next(float64(x))))
	}
}
