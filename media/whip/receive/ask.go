package receive

import "time"

// wait is how long a missing packet is waited for.
func (j *jitter) wait() time.Duration {
	if j.trip == 0 {
		return min(firstWait+j.extra, maxWait)
	}
	return min(max(j.askAfter()+2*j.trip+minRepeat, minWait)+j.extra, maxWait)
}

// askAfter is how long a missing packet may be on its way by itself.
func (j *jitter) askAfter() time.Duration {
	return min(max(j.reorder+minAsk/2, minAsk), maxAsk)
}

func (j *jitter) repeatAfter() time.Duration {
	return max(j.trip+j.trip/4, minRepeat)
}

// ask appends the numbers to ask for at now and notes that they were.
func (j *jitter) ask(numbers []uint16, now time.Duration) []uint16 {
	if j.holding == 0 {
		return numbers
	}
	for n := max(j.next, j.highest-asksAtOnce); n < j.highest; n++ {
		s := &j.slots[n&(Window-1)]
		if s.held || s.asks >= maxAsks || now < j.askAt(s) {
			continue
		}
		if j.credit < 2 {
			break
		}
		j.credit -= 2
		s.asks++
		s.asked = now
		numbers = append(numbers, uint16(n))
	}
	return numbers
}

func (j *jitter) askAt(s *slot) time.Duration {
	if s.asks == 0 {
		return s.since + j.askAfter()
	}
	return s.asked + j.repeatAfter()
}

// wake is when advance and ask want to be called again; false when nothing is
// waited for.
func (j *jitter) wake() (time.Duration, bool) {
	if j.holding == 0 {
		return 0, false
	}
	at := j.slots[j.next&(Window-1)].since + j.wait()
	if j.credit < 2 {
		return at, true // what comes brings credit, and is a time to ask
	}
	for n := max(j.next, j.highest-asksAtOnce); n < j.highest; n++ {
		if s := &j.slots[n&(Window-1)]; !s.held && s.asks < maxAsks {
			at = min(at, j.askAt(s))
		}
	}
	return at, true
}
