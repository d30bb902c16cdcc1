package storage

import (
	"time"

	"hark/media/transcript"
)

// CaptionAudience says who is shown what is said while it is being said.
type CaptionAudience string

// The audiences of live captions.
const (
	CaptionsOff          CaptionAudience = "off"          // nobody, and none are made
	CaptionsPrivate      CaptionAudience = "private"      // who speaks
	CaptionsConversation CaptionAudience = "conversation" // all who may hear the message
)

// NewRecording is a message that somebody begins to speak. ID and key are
// chosen by the recorder, and the node is where the sound is kept meanwhile.
type NewRecording struct {
	ID             string
	ConversationID string
	Draft
	OriginalKey string
	Node        string
	Lease       time.Duration // how long the node may be silent before another looks after the recording
	Captions    CaptionAudience
}

// LiveRecording is a recording that is not finished: one that is being spoken,
// or that its node left behind.
type LiveRecording struct {
	MessageID      string
	WorkspaceID    string
	ConversationID string
	AuthorID       string
	OriginalKey    string
	Node           string // which node has it, by the id of its spool
	LeaseUntil     time.Time
	BegunAt        time.Time
	Captions       CaptionAudience
}

// OngoingRecording is somebody who is recording, as others in the conversation
// may know.
type OngoingRecording struct {
	UserID    string
	UserName  string
	UserNo    int64    // see [User.No]
	UserKind  UserKind // empty means KindPerson
	StartedAt time.Time
	PausedAt  time.Time // since when they pause; zero while they speak
}

// FinishedRecording is a recording whose sound is one object in the store.
type FinishedRecording struct {
	ID         string
	Node       string // the node that finishes it; it must be the one that has it
	Original   Original
	DurationMS int64

	// Peaks and LoudnessLUFS are what was measured of the sound: 100 values, 0
	// to 1, and the integrated loudness (EBU R128). Nil means not measured: the
	// job does.
	Peaks        []float64
	LoudnessLUFS *float64

	// Transcript is what was heard live; nil means that the job has to listen.
	Transcript *transcript.Transcript
	// Improve says that the transcript is poorer than it could be: the message
	// is ready with it, and the job listens again and replaces it.
	Improve bool

	EndReason string // see Message
}
