package messages

import (
	"time"

	"hark/api/heard"
	"hark/api/people"
	"hark/api/rest"
	"hark/api/sound"
	"hark/storage"
)

// Message is a voice message as callers see it.
type Message struct {
	ID             string        `json:"id" format:"uuid" example:"0197a3c2-7f3a-7d05-b1c6-5e7788990a1b"`
	ConversationID string        `json:"conversation_id" format:"uuid" example:"0197a3c2-6a00-7b11-8c22-3d44e5f60718"`
	Author         people.Author `json:"author"`
	Title          string        `json:"title" doc:"Empty if it has none" example:"The bridge at noon"`
	FirstWords     string        `json:"first_words" doc:"How what is said begins, with an ellipsis if it goes on: what to call a message without a title. Empty until there is a transcript, or if nothing is said" example:"Ask not what your country can do for you."`
	ReplyTo        string        `json:"reply_to,omitempty" format:"uuid" doc:"Id of the message that this one answers" example:"0197a3c2-7e00-7aaa-9bbb-5e7788990a1b"`
	ReplyAtMS      *int64        `json:"reply_at_ms,omitempty" doc:"The place in that message, in milliseconds" example:"4200"`
	RecordedAt     time.Time     `json:"recorded_at" doc:"When it was spoken, as far as the sender said" example:"2026-03-01T09:30:40Z"`
	CreatedAt      time.Time     `json:"created_at" doc:"When it came into its conversation: when it was sent or, of a draft, begun" example:"2026-03-01T09:31:12Z"`
	UpdatedAt      time.Time     `json:"updated_at" example:"2026-03-01T09:31:15Z"`
	Draft          bool          `json:"draft" doc:"Whether it is not sent yet, so that only its author sees it" example:"false"`

	State     storage.State `json:"state" enum:"recording,received,processing,ready,failed" doc:"The sound plays in every state from received on" example:"ready"`
	Progress  float64       `json:"progress" minimum:"0" maximum:"1" doc:"How much of the work is done" example:"1"`
	Failure   *Failure      `json:"failure,omitempty" doc:"Why not everything could be made; only with state failed"`
	EndReason string        `json:"end_reason,omitempty" enum:"disconnected,duration,idle,bit_rate,removed,signed_out,server_stopped,server_lost,failed" doc:"Why a recording ended, if not by its speaker" example:"disconnected"`

	DurationMS        *int64      `json:"duration_ms,omitempty" doc:"Left out until it is known" example:"5230"`
	LoudnessLUFS      *float64    `json:"loudness_lufs,omitempty" doc:"Integrated loudness of the original (EBU R128); left out until it is measured" example:"-21.4"`
	Language          string      `json:"language,omitempty" doc:"BCP 47 tag of what is spoken; left out until it is known" example:"en"`
	Heard             heard.Heard `json:"heard" doc:"What you heard of it"`
	TranscriptVersion int         `json:"transcript_version" doc:"Counts up with each better transcript; 0 means none yet" example:"1"`
	Original          Original    `json:"original"`
	Rendition         *Rendition  `json:"rendition" doc:"The form that plays everywhere; null until it is made, and the original plays in its place"`
	Links             Links       `json:"links"`
}

// Failure is why a message failed.
type Failure struct {
	Reason   string `json:"reason" doc:"One sentence for people" example:"The recording could not be decoded."`
	CanRetry bool   `json:"can_retry" doc:"Whether POST /v1/messages/{id}/retry may help" example:"true"`
}

// Original is the clip as it was sent.
type Original struct {
	MediaType string `json:"media_type" doc:"By its bytes, whatever the sender called it" example:"audio/mpeg"`
	Format    string `json:"format" example:"mp3"`
	Bytes     int64  `json:"bytes" example:"84213"`
	SHA256    string `json:"sha256" doc:"Hex" example:"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`
	Filename  string `json:"filename" doc:"As the sender named it; empty if they did not" example:"bridge.mp3"`
}

// Rendition is the form of a message that plays everywhere.
type Rendition struct {
	MediaType string `json:"media_type" example:"audio/mp4"`
	Bytes     int64  `json:"bytes" example:"41877"`
}

// Links are where the rest of a message is.
type Links struct {
	Self       string `json:"self" format:"uri-reference" example:"/v1/messages/0197a3c2-7f3a-7d05-b1c6-5e7788990a1b"`
	Audio      string `json:"audio" format:"uri-reference" doc:"The sound as it plays best now: the rendition or, until it is made, the original. It names one clip, whose bytes never change" example:"/v1/messages/0197a3c2-7f3a-7d05-b1c6-5e7788990a1b/audio?format=rendition&v=1f5a9c02e7b44d38"`
	Original   string `json:"original" format:"uri-reference" doc:"The sound as it was sent" example:"/v1/messages/0197a3c2-7f3a-7d05-b1c6-5e7788990a1b/audio?format=original"`
	Transcript string `json:"transcript" format:"uri-reference" example:"/v1/messages/0197a3c2-7f3a-7d05-b1c6-5e7788990a1b/transcript"`
	Waveform   string `json:"waveform" format:"uri-reference" example:"/v1/messages/0197a3c2-7f3a-7d05-b1c6-5e7788990a1b/waveform"`
}

func (e *Endpoints) view(m storage.Message) Message { return View(e.deps.PublicURL.Base, m) }

// View prints a message, with its addresses below base.
func View(base string, m storage.Message) Message {
	return Message{
		ID: m.ID, ConversationID: m.ConversationID,
		Author: people.NewAuthor(m.AuthorID, m.AuthorName, m.AuthorNo, m.AuthorKind),
		Title:  m.Title, FirstWords: m.FirstWords, ReplyTo: m.ReplyTo, ReplyAtMS: replyAt(m),
		RecordedAt: m.RecordedAt, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt, Draft: m.Unsent,
		State: m.State, Progress: min(max(m.Progress, 0), 1), Failure: failureView(m),
		EndReason:  m.EndReason,
		DurationMS: rest.PositiveOrNil(m.DurationMS), LoudnessLUFS: m.Loudness, Language: m.Language,
		TranscriptVersion: m.TranscriptVersion, Heard: heard.View(m.Heard),
		Original: Original{
			MediaType: m.Original.Format.MediaType(), Format: string(m.Original.Format),
			Bytes: m.Original.Bytes, SHA256: m.Original.SHA256, Filename: m.Original.Filename,
		},
		Rendition: renditionView(m.Rendition),
		Links:     linksOf(base, m),
	}
}

func linksOf(base string, m storage.Message) Links {
	self := base + "/v1/messages/" + m.ID
	return Links{
		Self: self, Audio: sound.BestAddress(base, m), Original: sound.OriginalAddress(base, m),
		Transcript: self + "/transcript", Waveform: self + "/waveform",
	}
}

func replyAt(m storage.Message) *int64 {
	if m.ReplyTo == "" {
		return nil
	}
	return &m.ReplyAtMS
}

func failureView(m storage.Message) *Failure {
	if m.State != storage.Failed {
		return nil
	}
	return &Failure{Reason: m.FailureReason, CanRetry: !m.Hopeless}
}

func renditionView(r *storage.Rendition) *Rendition {
	if r == nil {
		return nil
	}
	return &Rendition{MediaType: r.MediaType, Bytes: r.Bytes}
}
