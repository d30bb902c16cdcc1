package codec

import (
	"encoding/binary"
	"math"
)

// EncodePeaks keeps peaks, of 0 to 1, in 16 bits each, little-endian.
func EncodePeaks(peaks []float64) []byte {
	b := make([]byte, 0, 2*len(peaks))
	for _, p := range peaks {
		if math.IsNaN(p) {
			p = 0
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(math.Round(min(max(p, 0), 1)*math.MaxUint16)))
	}
	return b
}

// DecodePeaks is the inverse of EncodePeaks, rounded to four decimals.
func DecodePeaks(b []byte) []float64 {
	if len(b) == 0 {
		return nil
	}
	peaks := make([]float64, len(b)/2)
	for i := range peaks {
		peaks[i] = math.Round(float64(binary.LittleEndian.Uint16(b[2*i:]))/math.MaxUint16*1e4) / 1e4
	}
	return peaks
}
