package search

import (
	"cmp"
	"math"
	"slices"
)

// The constants of BM25 (Robertson and Zaragoza, 2009). The mean length and
// the size of the collection are fixed, so that a score depends on nothing but
// the query and the message.
const (
	bm25K1      = 1.2
	bm25B       = 0.5
	meanTokens  = 100
	collection  = 1 << 20
	scoreSteps  = 4   // steps of one point of score; within a step the newer comes first
	weightSteps = 100 // steps of one point of weight
	guessShare  = 0.5 // of its weight a word has that only begins as the last one typed
)

// weights returns what each needed term weighs, in hundredths: the rarer its
// words among the messages that the principal may hear, the more.
func (f Finding) weights() []int64 {
	list := make([]int64, len(f.query.Needed))
	for i, term := range f.query.Needed {
		var weight float64
		for _, u := range append(termUnits(term), term.Words[len(term.Words)-1]+"*") {
			if n, known := f.uses[u]; known {
				weight = max(weight, math.Log(1+collection/(float64(n)+1)))
			}
		}
		list[i] = int64(math.Round(weight * weightSteps))
	}
	return list
}

// rank scores the candidates and puts the best first, the newer of equals first.
func (f Finding) rank(candidates []Candidate, weights []int64) {
	for i := range candidates {
		candidates[i].score = f.score(candidates[i], weights)
	}
	slices.SortFunc(candidates, compareRank)
}

func compareRank(a, b Candidate) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.Doc, a.Doc))
}

func (f Finding) score(c Candidate, weights []int64) int64 {
	norm := bm25K1 * (1 - bm25B + bm25B*float64(c.Tokens)/meanTokens)
	var sum float64
	for i, term := range f.query.Needed {
		said, weight := 1.0, float64(weights[i])/weightSteps
		guessed := f.query.Completed && i == len(f.query.Needed)-1 && !c.whole
		if guessed {
			weight *= guessShare
		}
		if len(term.Words) == 1 {
			said = float64(saidTimes(c.Repeats, term.Words[0], term.Prefix && !c.whole))
		}
		sum += weight * said * (bm25K1 + 1) / (said + norm)
	}
	return int64(math.Round(sum * scoreSteps))
}
