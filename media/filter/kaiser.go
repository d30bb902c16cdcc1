package filter

import "math"

// Kaiser returns the Kaiser window over -1..1, which is 1 in its middle and 0
// outside (J. F. Kaiser, 1974). A higher beta trades the width of the
// transition for ripple.
func Kaiser(beta float64) func(x float64) float64 {
	unit := bessel0(beta)
	return func(x float64) float64 {
		if x < -1 || x > 1 {
			return 0
		}
		return bessel0(beta*math.Sqrt(1-x*x)) / unit
	}
}

// bessel0 is the modified Bessel function of the first kind and order zero.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= x / (2 * k) * x / (2 * k)
		sum += term
	}
	return sum
}
