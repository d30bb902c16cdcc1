package sherpa

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"hark/transcribe"
)

// breath is the pause between two pieces, in windows of 32 ms, below which a
// sentence may go on.
const breath = 11

// goesOn lists words that rarely begin a sentence and often go on with one,
// so that a full stop before one of them, at a cut, was most likely invented
// by a recogniser that heard no more.
var goesOn = wordSet(`and or but nor to of in on at by for from with without into onto than as
	is are was were be been being has have had that which who whom whose because
	so if when while until unless where though although until between among about over under`)

// lowered lists words that are written with a capital at a beginning only, so
// that the capital can be taken off safely. "I" and names are not in it.
var lowered = wordSet(`the a an this that these those it its he she they we you his her their our your my
	there here what how why not no yes please then now just also only very some any all each every
	both few many more most other such one two three four five six seven eight nine ten
	do does did can could will would shall should may might must let
	and or but nor to of in on at by for from with without into onto than as
	is are was were be been being has have had which who whom whose because
	so if when while until unless where though although between among about over under before after`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// joiner strings the words of pieces together and mends the sentences that
// were cut: a recogniser begins every piece with a capital and likes to end
// it with a full stop, whether or not a sentence begins and ends there.
type joiner struct {
	words []transcribe.Word
}

// add appends the words of the next piece, which are not none. pause is the
// silence before its speech, in windows; 0 after a cut inside speech.
func (j *joiner) add(words []transcribe.Word, pause int) {
	if len(j.words) > 0 {
		last := &j.words[len(j.words)-1]
		j.inOrder(words)
		switch {
		case pause < breath && continues(last.Text, words[0].Text, pause):
			last.Text = strings.TrimRight(last.Text, ".")
			words[0].Text = lowerFirst(words[0].Text)
		case strings.HasSuffix(last.Text, ","):
			words[0].Text = lowerFirst(words[0].Text)
		case pause >= breath && lowered[bareWord(words[0].Text)] && beginsUpper(words[0].Text):
			last.Text = closed(last.Text)
		}
	}
	j.words = append(j.words, words...)
	capitalise(j.words[len(j.words)-len(words):], j.words[:len(j.words)-len(words)])
}

// end closes the last sentence when the recogniser had hoped for more of it.
func (j *joiner) end() {
	if len(j.words) == 0 {
		return
	}
	last := &j.words[len(j.words)-1]
	last.Text = closed(strings.TrimSuffix(last.Text, ","))
}

// closed gives a word that ends a sentence its full stop, unless it has some
// punctuation already or the sentence is in another script.
func closed(word string) string {
	if last, _ := utf8.DecodeLastRuneInString(word); unicode.IsDigit(last) || unicode.In(last, unicode.Latin) {
		return word + "."
	}
	return word
}

// inOrder keeps words from beginning before the words in front of them have
// ended: the sound around two pieces may overlap.
func (j *joiner) inOrder(words []transcribe.Word) {
	end := j.words[len(j.words)-1].EndMS
	for i := range words {
		if words[i].StartMS >= end {
			return
		}
		words[i].StartMS = end
		words[i].EndMS = max(words[i].EndMS, end)
	}
}

// continues says whether a sentence goes on from one piece to the next.
func continues(last, next string, pause int) bool {
	if endsSentence(last) && !strings.HasSuffix(last, ".") || abbreviated(last) {
		return false
	}
	plain := bareWord(next)
	switch {
	case pause == 0, !beginsUpper(next):
		return true
	case !strings.HasSuffix(last, "."):
		return true
	default:
		return goesOn[plain]
	}
}

// capitalise gives a sentence that begins in lower case its capital.
func capitalise(words, before []transcribe.Word) {
	for i := range words {
		last := ""
		switch {
		case i > 0:
			last = words[i-1].Text
		case len(before) > 0:
			last = before[len(before)-1].Text
		}
		if last == "" || endsSentence(last) && !abbreviated(last) {
			words[i].Text = upperFirst(words[i].Text)
		}
	}
}

// endsSentence says whether a printed word is the last of a sentence.
func endsSentence(word string) bool {
	word = strings.TrimRight(word, `"'”’)]`)
	return strings.HasSuffix(word, ".") && !strings.HasSuffix(word, "..") ||
		strings.HasSuffix(word, "?") || strings.HasSuffix(word, "!") ||
		strings.HasSuffix(word, "。") || strings.HasSuffix(word, "？") || strings.HasSuffix(word, "！")
}

// abbreviated says whether the full stop of a word is that of an abbreviation.
func abbreviated(word string) bool {
	stem, ok := strings.CutSuffix(word, ".")
	if !ok {
		return false
	}
	switch strings.ToLower(stem) {
	case "mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "e.g", "i.e":
		return true
	}
	return utf8.RuneCountInString(stem) == 1 && stem != "I" || strings.Contains(stem, ".")
}

func bareWord(word string) string {
	return strings.ToLower(strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }))
}

func beginsUpper(word string) bool {
	first, _ := utf8.DecodeRuneInString(word)
	return unicode.IsUpper(first)
}

func lowerFirst(word string) string {
	if !lowered[bareWord(word)] {
		return word
	}
	return strings.ToLower(word)
}

func upperFirst(word string) string {
	first, size := utf8.DecodeRuneInString(word)
	if !unicode.IsLower(first) {
		return word
	}
	return string(unicode.ToUpper(first)) + word[size:]
}
