package wer

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	ones = strings.Fields(`zero one two three four five six seven eight nine ten eleven twelve thirteen
		fourteen fifteen sixteen seventeen eighteen nineteen`)
	tens     = strings.Fields("zero ten twenty thirty forty fifty sixty seventy eighty ninety")
	scales   = []string{"", "thousand", "million", "billion", "trillion"}
	ordinals = map[string]string{
		"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
		"nine": "ninth", "twelve": "twelfth",
	}

	figure  = regexp.MustCompile(`^(\$|£|€)?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(st|nd|rd|th|s)?$`)
	clock   = regexp.MustCompile(`^(\d{1,2}):(\d{2})$`)
	address = regexp.MustCompile(`^\d+(\.\d+){2,}$`)
)

// maxDigits is where a figure is too long to have a name; it is read digit by digit.
const maxDigits = 15

// readFigure gives the ways to say a figure, likeliest first; nil when the
// word is none. It knows whole numbers, decimals, ordinals, plurals (1960s),
// money, times of day, years, and numbers read digit by digit or in pairs.
func readFigure(word string) [][]string {
	if m := clock.FindStringSubmatch(word); m != nil {
		return [][]string{readClock(m[1], m[2])}
	}
	if address.MatchString(word) {
		return [][]string{digitByDigit(word)}
	}
	m := figure.FindStringSubmatch(word)
	if m == nil {
		return nil
	}
	currency, whole, fraction, suffix := m[1], strings.ReplaceAll(m[2], ",", ""), m[3], m[4]
	readings := readWhole(whole, strings.Contains(m[2], ","))
	for i, r := range readings {
		if fraction != "" {
			r = append(append(r, "point"), digitByDigit(fraction)...)
		}
		switch suffix {
		case "s":
			r[len(r)-1] = plural(r[len(r)-1])
		case "st", "nd", "rd", "th":
			r[len(r)-1] = ordinal(r[len(r)-1])
		}
		if name := map[string]string{"$": "dollars", "£": "pounds", "€": "euros"}[currency]; name != "" {
			r = append(r, name)
		}
		readings[i] = r
	}
	return readings
}

// readWhole reads a string of digits. Grouped says that it was written with
// commas, which only a cardinal is.
func readWhole(digits string, grouped bool) [][]string {
	spelt := digitByDigit(digits)
	if len(digits) > maxDigits || digits[0] == '0' {
		return [][]string{spelt}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return [][]string{spelt}
	}
	if len(digits) == 1 || grouped {
		return [][]string{cardinal(n)}
	}
	readings := [][]string{cardinal(n)}
	if year := n >= 1100 && n < 2000 || n >= 2010 && n < 2100; year {
		readings = [][]string{inPairs(n), cardinal(n)}
	} else if len(digits) == 4 && digits[1] != '0' {
		readings = append(readings, inPairs(n))
	}
	if len(digits) == 3 && digits[1] != '0' {
		readings = append(readings, append([]string{ones[n/100]}, cardinal(n%100)...))
	}
	if len(digits) > 4 {
		return append([][]string{spelt}, readings...)
	}
	return append(readings, spelt)
}

// inPairs reads four digits as two pairs, as years are: "nineteen sixty one",
// "nineteen oh five", "eighty five hundred".
func inPairs(n uint64) []string {
	pairs := cardinal(n / 100)
	switch rest := n % 100; {
	case rest == 0:
		return append(pairs, "hundred")
	case rest < 10:
		return append(pairs, "oh", ones[rest])
	default:
		return append(pairs, cardinal(rest)...)
	}
}

// cardinal spells a number without "and".
func cardinal(n uint64) []string {
	if n == 0 {
		return []string{"zero"}
	}
	var words []string
	for scale := len(scales) - 1; scale >= 0; scale-- {
		unit := uint64(1)
		for range scale {
			unit *= 1000
		}
		group := n / unit % 1000
		if group == 0 {
			continue
		}
		words = append(words, underThousand(group)...)
		if scale > 0 {
			words = append(words, scales[scale])
		}
	}
	return words
}

func underThousand(n uint64) []string {
	var words []string
	if n >= 100 {
		words = append(words, ones[n/100], "hundred")
	}
	switch n %= 100; {
	case n >= 20:
		words = append(words, tens[n/10])
		if n%10 > 0 {
			words = append(words, ones[n%10])
		}
	case n > 0:
		words = append(words, ones[n])
	}
	return words
}

func digitByDigit(digits string) []string {
	words := make([]string, 0, len(digits))
	for _, r := range digits {
		if isDigit(r) {
			words = append(words, ones[r-'0'])
		} else {
			words = append(words, "point")
		}
	}
	return words
}

func readClock(hours, minutes string) []string {
	h, _ := strconv.ParseUint(hours, 10, 8)
	words := cardinal(h)
	switch m, _ := strconv.ParseUint(minutes, 10, 8); {
	case m == 0:
		return append(words, "oclock")
	case m < 10:
		return append(words, "oh", ones[m])
	default:
		return append(words, cardinal(m)...)
	}
}

func ordinal(word string) string {
	if o, ok := ordinals[word]; ok {
		return o
	}
	if stem, ok := strings.CutSuffix(word, "y"); ok {
		return stem + "ieth"
	}
	return word + "th"
}

func plural(word string) string {
	if stem, ok := strings.CutSuffix(word, "y"); ok {
		return stem + "ies"
	}
	return word + "s"
}
