package openai

import (
	"sync"

	"hark/media/transcript"
)

// heard is what a server made of one chunk, at its place in the clip.
type heard struct {
	language string // BCP 47; empty when the server did not say
	segments []transcript.Segment
}

// joiner puts together what comes back in any order. It is safe for concurrent
// use.
type joiner struct {
	progress func(doneMS int64) // nil means nobody listens

	mu     sync.Mutex
	parts  []heard
	ends   []int64 // of each chunk, in ms of the clip
	have   []bool
	joined int // parts from the first on that are all there
}

// expect announces chunk n. Chunks are announced in order.
func (j *joiner) expect(n int, c chunk) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.parts = append(j.parts[:n], heard{})
	j.ends = append(j.ends[:n], c.startMS()+c.lengthMS())
	j.have = append(j.have[:n], false)
}

// add takes what was heard in chunk n, and tells how far the sound is done
// without a gap.
func (j *joiner) add(n int, h heard) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.parts[n], j.have[n] = h, true
	before := j.joined
	for j.joined < len(j.have) && j.have[j.joined] {
		j.joined++
	}
	if j.progress != nil && j.joined > before {
		j.progress(j.ends[j.joined-1])
	}
}

// transcript joins all parts. The language is the one most words are in;
// fallback when no server said.
func (j *joiner) transcript(model, fallback string) *transcript.Transcript {
	t := &transcript.Transcript{Engine: "openai", Model: model, Language: fallback, Segments: []transcript.Segment{}}
	words := map[string]int{}
	for _, part := range j.parts {
		t.Segments = append(t.Segments, part.segments...)
		if part.language == "" {
			continue
		}
		for _, s := range part.segments {
			words[part.language] += len(s.Words)
		}
		if words[part.language] > words[t.Language] {
			t.Language = part.language
		}
	}
	return t
}
