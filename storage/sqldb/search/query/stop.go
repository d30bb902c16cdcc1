package query

import "strings"

// stopWords are English words that say nothing about what a message is about.
// A query that has other words is not narrowed by them.
var stopWords = func() map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsSeq(`a about all also am an and any are as at be been but by can could did do does
		for from get got had has have he her here him his how i if im in is it just like me my no not now of
		oh ok okay on or our out she so some than that thats the their them then there they this to too uh um
		up us very was we well were what when where which who why will with would yeah yes you your`) {
		words[w] = true
	}
	return words
}()

// Stop says whether token is a stop word.
func Stop(token string) bool { return stopWords[token] }
