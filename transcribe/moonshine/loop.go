package moonshine

// beforeLoop returns how many tokens to keep: all, or those before the tail
// began to repeat itself beyond what people do.
//
// People say "no no no no", "zero zero zero zero" and "it was the best of
// times, it was the worst of times": few tokens often, or many tokens once
// more with a difference. A model that has lost its way repeats the very same
// tokens for ever. So the number of repetitions that is believed falls with
// the length of what is repeated.
func beforeLoop(tokens []int) int {
	for period := 1; period <= maxPeriod; period++ {
		allowed := repeatsAllowed(period)
		if len(tokens) < period*(allowed+1) {
			continue
		}
		if repeats := tailRepeats(tokens, period, allowed+1); repeats > allowed {
			return len(tokens) - period*allowed
		}
	}
	return len(tokens)
}

// maxPeriod is the longest repetition that is looked for, in tokens.
const maxPeriod = 24

// repeatsAllowed is how often in a row a sequence may be said.
func repeatsAllowed(period int) int {
	switch {
	case period == 1:
		return 8
	case period <= 3:
		return 5
	case period <= 8:
		return 3
	default:
		return 2
	}
}

// tailRepeats counts how often the last period tokens stand there in a row,
// up to most.
func tailRepeats(tokens []int, period, most int) int {
	repeats := 1
	for at := len(tokens) - 1 - period; at >= 0; at-- {
		if tokens[at] != tokens[at+period] {
			break
		}
		repeats = (len(tokens) - at) / period
		if repeats >= most {
			break
		}
	}
	return repeats
}
