package media

import "encoding/binary"

// appendS16 appends p to b as 16-bit little-endian samples.
func appendS16(b []byte, p []float32) []byte {
	for _, x := range p {
		b = binary.LittleEndian.AppendUint16(b, uint16(toS16(x)))
	}
	return b
}

// toS16 rounds x*32768 to the nearest 16-bit value, clamping.
func toS16(x float32) int16 {
	v := x * 32768
	switch {
	case v >= 32767:
		return 32767
	case v <= -32768:
		return -32768
	case v >= 0:
		return int16(v + 0.5)
	case v < 0:
		return int16(v - 0.5)
	}
	return 0 // not a number
}

// samplesFromS16 converts all of b into p.
func samplesFromS16(p []float32, b []byte) {
	for i := range len(b) / bytesPerSample {
		p[i] = float32(int16(binary.LittleEndian.Uint16(b[i*bytesPerSample:]))) / 32768
	}
}
