package render

import (
	"context"
	"math"

	"hark/media"
)

const (
	// TargetLUFS is the loudness that renditions aim at.
	TargetLUFS = -16.0

	// CeilingDBTP is the true peak that no sound exceeds before it is encoded.
	// AAC changes the waveform, so this leaves room for it to overshoot.
	CeilingDBTP = -1.5

	speechGainDB = 42.0 // what quiet speech is raised by at most
	steadyGainDB = 30.0 // the same for what does not rise and fall as speech does:
	steadyTaper  = 2.0  // each LU that 30 dB would not suffice for takes 2 dB away
	speechRange  = 6.0  // LU above its floor from which sound counts as speech
	maxDriveDB   = 12.0 // what may be added to make up for what the limiter takes
	firstYield   = 0.8  // LU of loudness that a decibel of gain is taken to give under the limiter,
	leastYield   = 0.3  // then what the last two trials show, within reason
	closeLU      = 0.2  // near enough to the target
	maxTrials    = 4    // passes over the sound to find the gain
)

// wantedGain says by how many decibels a clip should be raised, negative to
// lower it. Speech down to -58 LUFS comes to the target. A steady sound of the
// same level is an empty room and must not roar: it comes to the target only
// from -46 LUFS, at -50 LUFS it is raised to -28, from -61 LUFS downwards it
// stays what it is.
func wantedGain(a Analysis) float64 {
	gain := TargetLUFS - a.LoudnessLUFS
	switch {
	case a.LoudnessLUFS <= SilenceLUFS:
		return 0
	case a.LoudnessLUFS-a.FloorLUFS >= speechRange:
		return min(gain, speechGainDB)
	case gain > steadyGainDB:
		return max(0, steadyGainDB-steadyTaper*(gain-steadyGainDB))
	}
	return gain
}

// chooseGain returns the gain in decibels with which the sound in spool, once
// limited, comes to the loudness it should have. When its peaks stay below
// the ceiling that needs no look at the sound; otherwise gains are tried on
// all of it, each corrected by what the limiter took at the one before, up to
// maxDriveDB in all.
func chooseGain(ctx context.Context, spool *media.Spool, a Analysis) (float64, error) {
	wanted := wantedGain(a)
	target := a.LoudnessLUFS + wanted
	gain, yield := wanted, firstYield
	var lastGain, lastLoudness float64
	for trial := range maxTrials {
		if a.TruePeakDBTP+gain <= CeilingDBTP {
			return gain, nil
		}
		loudness, err := loudnessAt(ctx, spool, gain)
		if err != nil {
			return 0, err
		}
		if trial > 0 {
			yield = max(leastYield, min(1, (loudness-lastLoudness)/(gain-lastGain)))
		}
		next := min(gain+(target-loudness)/yield, wanted+maxDriveDB)
		if math.Abs(target-loudness) <= closeLU || next == gain {
			return gain, nil
		}
		gain, lastGain, lastLoudness = next, gain, loudness
	}
	return gain, nil
}

// loudnessAt measures the sound in spool as it would be encoded.
func loudnessAt(ctx context.Context, spool *media.Spool, gain float64) (float64, error) {
	meter := NewMeter()
	err := level(ctx, spool, gain, func(p []float32) error {
		meter.Write(p)
		return nil
	})
	return meter.Integrated(), err
}

// level hands the sound in spool to sink, raised by gain decibels and limited
// to the ceiling, with the length and the timing it had.
func level(ctx context.Context, spool *media.Spool, gain float64, sink func(p []float32) error) error {
	limit := newLimiter(factor(gain), factor(CeilingDBTP))
	early := limiterDelay // samples still to drop
	emit := func(p []float32) error {
		limit.process(p)
		n := min(early, len(p))
		early -= n
		if n == len(p) {
			return nil
		}
		return sink(p[n:])
	}
	if _, err := each(spool.NewReader(ctx), emit); err != nil {
		return err
	}
	return emit(make([]float32, limiterDelay))
}
