package bench

import (
	"bufio"
	"math"
	"os"

	"hark/media"
)

// sound makes the sample at index i; it is called in order.
type sound func(i int64) float64

// WriteWAV writes n samples as mono 16-bit at 16 kHz.
func WriteWAV(path string, n int64, s sound) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	if _, err := w.Write(media.WAVHeader(media.SampleRate, 1, int(2*n))); err != nil {
		return err
	}
	for i := range n {
		v := int16(math.Round(32767 * max(-1, min(1, s(i)))))
		if err := w.WriteByte(byte(v)); err != nil {
			return err
		}
		if err := w.WriteByte(byte(v >> 8)); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
