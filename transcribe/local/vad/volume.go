package vad

// Loudness that recognisers and the detector are used to, as a peak, and how
// much a faint voice is raised towards it at most (32 dB).
const (
	usualPeak = 0.5
	mostGain  = 40
)

// volume follows the loudness of a clip, so that the detector hears a voice
// on a faint recording as well as a near one.
//
// Loud sound lowers the gain at once. After a voice it comes back slowly, so
// that the pauses stay quiet and what is said far behind stays there; after a
// knock, a beep or a door quickly, or the detector would miss the quiet voice
// that follows. Which of them it was is known from the detector's own
// answers, of windows so long ago that it has answered for them however many
// it is given at a time.
type volume struct {
	voice, sound float32 // peaks of what was a voice, and of anything
	recent       [MostWindows]judged
	now          int // windows followed so far
	answered     int // windows whose probability is known
	speech       int // windows of speech in a row, up to the latest that counts
}

// judged is a window and the detector's answer for it.
type judged struct{ peak, prob float32 }

// Recovery is the share of a peak that is left after one window: of a voice
// half after two seconds, of other sound after a third of one.
const (
	voiceRecovery = 0.989
	soundRecovery = 0.933
	leastVoice    = 4 // windows of speech in a row that are a voice
)

// follow takes the next window and returns the gain to hear it with. All
// answers for all windows but the last MostWindows must be known (answer).
func (v *volume) follow(window []float32) float32 {
	next := &v.recent[v.now%MostWindows]
	v.voice *= voiceRecovery
	if v.now >= MostWindows {
		v.learn(*next)
	}
	*next = judged{peak: Peak(window)}
	v.now++
	v.sound = max(v.sound*soundRecovery, next.peak)
	return Gain(max(v.sound, v.voice))
}

// answer takes the detector's answers for the next windows that were followed.
func (v *volume) answer(prob []float32) {
	for _, p := range prob {
		v.recent[v.answered%MostWindows].prob = p
		v.answered++
	}
}

func (v *volume) learn(w judged) {
	if w.prob < Sure {
		v.speech = 0
		return
	}
	if v.speech++; v.speech >= leastVoice {
		v.voice = max(v.voice, w.peak)
	}
}

// Gain is how much sound with such a peak is amplified to be as loud as
// recognisers expect it: 1 for what is loud enough.
func Gain(peak float32) float32 { return min(max(usualPeak/max(peak, 1e-6), 1), mostGain) }

// Peak is the largest magnitude of samples.
func Peak(samples []float32) float32 {
	var peak float32
	for _, s := range samples {
		peak = max(peak, s, -s)
	}
	return peak
}
