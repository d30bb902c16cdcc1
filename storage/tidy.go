package storage

import (
	"cmp"
	"errors"
	"fmt"
	"mime"
	"strings"
	"time"

	"golang.org/x/text/language"

	"hark/media"
	"hark/media/transcript"
)

// longestUserName is how many characters the name of a user may have in a
// manifest: older versions let in more than [MaxName].
const longestUserName = 100

// Tidy brings a manifest to what may be kept: it may have been written by
// another version, or by hand. Of a record that can be made, nothing is refused
// for a title that is too long: what senders would be told to correct is
// corrected, and what was measured wrong is forgotten, so that the job measures
// it again.
func (m *Manifest) Tidy() {
	now := Now()
	m.Workspace.Tidy()
	m.Conversation.Title = titleOf(m.Conversation.Title, MaxTitle)
	m.Conversation.CreatedAt = past(m.Conversation.CreatedAt, now)
	for id, since := range m.Conversation.ShownSince {
		m.Conversation.ShownSince[id] = past(since, now)
	}
	for i, p := range m.People {
		m.People[i].Name = nameOf(p.Name, longestUserName)
	}
	m.Message.tidy(now)
	m.Original.Filename = CleanFilename(m.Original.Filename)
	if m.Rendition != nil && (m.Rendition.Bytes < 1 || !isAudio(m.Rendition.MediaType)) {
		m.Rendition = nil
	}
}

// Tidy brings what a manifest tells of a workspace to what may be kept.
func (w *ManifestWorkspace) Tidy() {
	w.Name = nameOf(w.Name, MaxTitle)
	w.CreatedAt = past(w.CreatedAt, Now())
}

func (m *ManifestMessage) tidy(now time.Time) {
	m.Title = titleOf(m.Title, MaxTitle)
	m.CreatedAt = past(m.CreatedAt, now)
	m.RecordedAt = past(m.RecordedAt, m.CreatedAt)
	if m.ReplyTo == "" || m.ReplyAtMS < 0 || m.ReplyAtMS > MaxReplyAtMS {
		m.ReplyAtMS = 0
	}
	if strings.Trim(m.EndReason, "abcdefghijklmnopqrstuvwxyz_") != "" || len(m.EndReason) > 32 {
		m.EndReason = ""
	}
	measured := m.DurationMS >= 0 && m.DurationMS <= MaxReplyAtMS && (len(m.Waveform) == 0 || len(m.Waveform) == media.WaveformPeaks)
	for _, p := range m.Waveform {
		measured = measured && p >= 0 && p <= 1
	}
	if l := m.LoudnessLUFS; l != nil && (*l < -200 || *l > 100) {
		measured = false
	}
	if !measured {
		m.DurationMS, m.Waveform, m.LoudnessLUFS = 0, nil, nil
	}
}

// titleOf is a title as [CleanTitle] keeps it, cut where that would refuse it.
func titleOf(title string, limit int) string {
	title = strings.TrimSpace(Printable(title))
	if runes := []rune(title); len(runes) > limit {
		title = strings.TrimSpace(string(runes[:limit]))
	}
	return title
}

// nameOf is a name, which is never empty.
func nameOf(name string, limit int) string { return cmp.Or(titleOf(name, limit), "Unnamed") }

// past is a time that lies between 1970 and a later one; that, if it does not.
func past(at, later time.Time) time.Time {
	if at.Unix() < 0 || at.After(later) {
		return later
	}
	return at
}

func isAudio(mediaType string) bool {
	parsed, _, err := mime.ParseMediaType(mediaType)
	return err == nil && strings.HasPrefix(parsed, "audio/")
}

// tidy makes sure that a transcript can be kept and shown. A language that is
// none is forgotten.
func (t *StoredTranscript) tidy() error {
	t.CreatedAt = past(t.CreatedAt, Now())
	if _, err := language.Parse(t.Language); err != nil {
		t.Language = ""
	}
	t.Engine, t.Model = titleOf(t.Engine, MaxTitle), titleOf(t.Model, MaxTitle)
	t.AddGaps()
	if last := len(t.Gaps) - 1; last >= 0 && t.Gaps[last].EndMS > MaxReplyAtMS {
		return fmt.Errorf("gap %d ends at %d ms", last, t.Gaps[last].EndMS)
	}
	for i, s := range t.Segments {
		if err := checkSegment(s); err != nil {
			return fmt.Errorf("segment %d %w", i, err)
		}
	}
	return nil
}

func checkSegment(s transcript.Segment) error {
	if s.StartMS < 0 || s.EndMS < s.StartMS || s.EndMS > MaxReplyAtMS {
		return fmt.Errorf("lasts from %d to %d ms", s.StartMS, s.EndMS)
	}
	if s.Channel < 0 || s.Channel > transcript.MostChannels {
		return fmt.Errorf("is of channel %d", s.Channel)
	}
	if len(s.Words) == 0 {
		return errors.New("has no words")
	}
	for _, w := range s.Words {
		switch {
		case w.Text == "" || strings.ContainsAny(w.Text, " \t\r\n"):
			return fmt.Errorf("has %q, which is not one word", w.Text)
		case w.StartMS < 0 || w.EndMS < w.StartMS || w.EndMS > MaxReplyAtMS:
			return fmt.Errorf("has %q from %d to %d ms", w.Text, w.StartMS, w.EndMS)
		case w.Confidence < 0 || w.Confidence > 1:
			return fmt.Errorf("has %q with the confidence %g", w.Text, w.Confidence)
		}
	}
	return nil
}
