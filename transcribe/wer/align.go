package wer

import "slices"

// Edit is what became of one word of the reference or of the hypothesis.
type Edit byte

// The edits of an alignment.
const (
	Equal      Edit = iota // the word was heard
	Substitute             // another word was heard
	Delete                 // the reference's word was missed
	Insert                 // the hypothesis' word was invented
)

// Step is one step of an alignment. Ref and Hyp index the two lists of words;
// a deletion has no Hyp and an insertion no Ref (-1).
type Step struct {
	Edit     Edit
	Ref, Hyp int
}

// Align finds a shortest way from one list of words to the other, in order.
// It takes time and memory proportional to the product of the two lengths
// (one byte a cell), which suits clips of up to an hour or two.
func Align(ref, hyp []string) []Step {
	columns := len(hyp) + 1
	edits := make([]Edit, (len(ref)+1)*columns)
	row := make([]int, columns)
	for j := 1; j < columns; j++ {
		row[j], edits[j] = j, Insert
	}
	for i := 1; i <= len(ref); i++ {
		diagonal := row[0]
		row[0] = i
		edits[i*columns] = Delete
		for j := 1; j < columns; j++ {
			cost, edit := diagonal, Equal
			if ref[i-1] != hyp[j-1] {
				cost, edit = diagonal+1, Substitute
			}
			if row[j]+1 < cost {
				cost, edit = row[j]+1, Delete
			}
			if row[j-1]+1 < cost {
				cost, edit = row[j-1]+1, Insert
			}
			diagonal, row[j] = row[j], cost
			edits[i*columns+j] = edit
		}
	}
	return walk(edits, columns, len(ref), len(hyp))
}

// walk reads the steps off the table, from its end to its beginning.
func walk(edits []Edit, columns, i, j int) []Step {
	steps := make([]Step, 0, max(i, j))
	for i > 0 || j > 0 {
		switch edit := edits[i*columns+j]; edit {
		case Delete:
			i--
			steps = append(steps, Step{edit, i, -1})
		case Insert:
			j--
			steps = append(steps, Step{edit, -1, j})
		default:
			i, j = i-1, j-1
			steps = append(steps, Step{edit, i, j})
		}
	}
	slices.Reverse(steps)
	return steps
}

// Count aligns two lists of normalised words and counts what differs.
func Count(ref, hyp []string) Counts {
	c := Counts{Words: len(ref)}
	for _, s := range Align(ref, hyp) {
		switch s.Edit {
		case Substitute:
			c.Substitutions++
		case Delete:
			c.Deletions++
		case Insert:
			c.Insertions++
		}
	}
	return c
}
