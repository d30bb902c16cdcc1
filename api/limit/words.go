package limit

import (
	"strconv"
	"time"
)

// InWords says how long to wait, in whole seconds, minutes or hours.
func InWords(d time.Duration) string {
	if d <= 2*time.Minute {
		return strconv.Itoa(int(d/time.Second)) + " s"
	}
	if d <= 2*time.Hour {
		return strconv.Itoa(int((d+time.Minute-1)/time.Minute)) + " min"
	}
	return strconv.Itoa(int((d+time.Hour-1)/time.Hour)) + " h"
}
