package media

import (
	"fmt"
	"strings"
	"time"
)

// FormatBytes prints a number of bytes for people, in binary units: "2 GiB",
// "1.5 MiB", "312 bytes".
func FormatBytes(n int64) string {
	const unit = 1024
	names := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	v, i := float64(n), 0
	for v >= unit && i < len(names)-1 {
		v /= unit
		i++
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") + " " + names[i]
}

// FormatDuration prints a duration for people: "45 s", "12 min 5 s", "2 h 30 min".
func FormatDuration(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	switch h, m, s := s/3600, s/60%60, s%60; {
	case h > 0 && m > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case h > 0:
		return fmt.Sprintf("%d h", h)
	case m > 0 && s > 0:
		return fmt.Sprintf("%d min %d s", m, s)
	case m > 0:
		return fmt.Sprintf("%d min", m)
	default:
		return fmt.Sprintf("%d s", s)
	}
}
