package render

import (
	"errors"
	"fmt"
	"io"

	"hark/media"
)

// readSamples is how much sound is taken from a source at a time: half a second.
const readSamples = 8192

// source is decoded sound: mono, 16 kHz, read once from the start, 0 and
// io.EOF at the end.
type source interface {
	ReadSamples(p []float32) (int, error)
}

// Analysis is what one pass over a clip's sound tells. All its numbers are
// finite, so it can be stored as JSON.
type Analysis struct {
	Peaks        []float64 // exactly 100, each 0 to 1; see [Waveform.Peaks]
	LoudnessLUFS float64   // integrated, see [Meter.Integrated]; [SilenceLUFS] means silence
	FloorLUFS    float64   // loudness of the pauses, see [Meter.Floor]
	TruePeakDBTP float64   // at four times the rate; [SilenceDBTP] means digital silence
	DurationMS   int64     // rounded to the nearest millisecond; 0 means no sound
}

// Analyse reads src to its end, however slowly it grows, in constant memory.
// Samples must be finite, as those of a spool are; they may pass 1. A source
// without a single sample is not an error. When src fails, so does
// Analyse, with src's error wrapped.
func Analyse(src source) (Analysis, error) {
	var waveform Waveform
	meter, peak := NewMeter(), newPeakMeter()
	samples, err := each(src, func(p []float32) error {
		waveform.Write(p)
		meter.Write(p)
		peak.write(p)
		return nil
	})
	if err != nil {
		return Analysis{}, fmt.Errorf("analyse sound: %w", err)
	}
	return Analysis{
		Peaks:        waveform.Peaks(),
		LoudnessLUFS: meter.Integrated(),
		FloorLUFS:    meter.Floor(),
		TruePeakDBTP: peak.dbtp(),
		DurationMS:   milliseconds(samples),
	}, nil
}

// each hands all of src to sink, piece by piece, and counts the samples. The
// pieces are sink's to change until it returns.
func each(src source, sink func(p []float32) error) (samples int64, err error) {
	buf := make([]float32, readSamples)
	for {
		n, err := src.ReadSamples(buf)
		if n > 0 {
			samples += int64(n)
			if err := sink(buf[:n]); err != nil {
				return samples, err
			}
		}
		if errors.Is(err, io.EOF) {
			return samples, nil
		}
		if err != nil {
			return samples, err
		}
	}
}

// milliseconds rounds a number of samples.
func milliseconds(samples int64) int64 {
	return (samples*1000 + media.SampleRate/2) / media.SampleRate
}
