package api

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"hark/media"
	"hark/storage"
	"hark/transcribe"
)

var (
	transcriptType = reflect.TypeFor[Transcript]()
	eventType      = reflect.TypeFor[Event]()
)

// The examples of the description are made of records by the same views that
// print answers, so that they cannot differ in form.

const (
	exampleUserID         = "0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"
	exampleWorkspaceID    = "0197a3c2-5b1e-7c44-9f0a-000000000001"
	exampleConversationID = "0197a3c2-6a00-7b11-8c22-3d44e5f60718"
	exampleMessageID      = "0197a3c2-7f3a-7d05-b1c6-5e7788990a1b"
	exampleTokenID        = "0197a3c2-8888-7d05-b1c6-5e7788990a1b" //nolint:gosec // an id, not a secret
)

func exampleTime(sec int) time.Time {
	return time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC).Add(time.Duration(sec) * time.Second)
}

func exampleActor() storage.Actor {
	return storage.Actor{WorkspaceID: exampleWorkspaceID, UserID: exampleUserID, UserName: "Ada", Role: storage.RoleMember}
}

func exampleMe() Me {
	a := exampleActor()
	return Me{ID: a.UserID, Name: a.UserName, Role: a.Role, WorkspaceID: a.WorkspaceID}
}

func exampleNewToken() NewToken {
	token := storage.Token{ID: exampleTokenID, UserID: exampleUserID, Kind: storage.APIToken, Name: "laptop", CreatedAt: exampleTime(0)}
	return NewToken{Token: tokenView(token, exampleActor()), Secret: "hark_4fN0vqHk3mXc8Zt1bW7yRs2LpQd9UaEg5JiKoTnVx6M"}
}

func exampleConversation() Conversation {
	return conversationView(storage.Conversation{
		ID: exampleConversationID, Kind: storage.Channel, Title: "Field notes", CreatedBy: exampleUserID,
		CreatedAt: exampleTime(0), LastMessageAt: exampleTime(72), MemberCount: 3,
	})
}

func exampleStoredMessage() storage.Message {
	loudness := -21.4
	return storage.Message{
		ID: exampleMessageID, ConversationID: exampleConversationID, AuthorID: exampleUserID, AuthorName: "Ada",
		Title: "The bridge at noon", RecordedAt: exampleTime(40), CreatedAt: exampleTime(72), UpdatedAt: exampleTime(75),
		State: storage.Ready, Progress: 1, DurationMS: 5230, Loudness: &loudness, Language: "en", TranscriptVersion: 1,
		Original: storage.Original{
			Format: media.MP3, Bytes: 84213, Filename: "bridge.mp3",
			SHA256: "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
		},
		Rendition: &storage.Rendition{MediaType: "audio/mp4", Bytes: 41877},
	}
}

func exampleMessage() Message { return messageView("", exampleStoredMessage()) }

func exampleTranscript() storage.VersionedTranscript {
	return storage.VersionedTranscript{
		MessageID: exampleMessageID, Version: 1, CreatedAt: exampleTime(75),
		Transcript: transcribe.Transcript{
			Language: "en", Engine: "sherpa", Model: "moonshine-base-en",
			Segments: []transcribe.Segment{transcribe.NewSegment([]transcribe.Word{
				{Text: "Your", StartMS: 980, EndMS: 1200, Confidence: 0.99},
				{Text: "country.", StartMS: 1210, EndMS: 1630, Confidence: 0.97},
			})},
		},
	}
}

func exampleWaveform() Waveform {
	peaks := make([]float64, 100)
	for i := range peaks {
		peaks[i] = math.Round(500+400*math.Sin(float64(i)/7)) / 1000
	}
	return Waveform{DurationMS: 5230, Peaks: peaks}
}

func exampleSearch() SearchResults {
	return SearchResults{Total: 1, Hits: []Hit{hitView("", storage.Hit{
		Message: exampleStoredMessage(), StartMS: 1210, EndMS: 1630,
		Snippet: storage.Snippet{Text: "Your country.", Marks: []storage.Mark{{Start: 5, End: 12}}, StartMS: 980},
	})}}
}

func exampleAudioURL() AudioURL {
	return AudioURL{
		URL: "https://hark.example.org/v1/messages/" + exampleMessageID + "/audio?as=" + exampleWorkspaceID + "." + exampleUserID +
			"&expires=1772358300&format=rendition&signature=q7mG3Zk1w0b8m2h5m0m5d3l7Yw9c1r4t6v8x0z2B4D6&v=1f5a9c02e7b44d38",
		ExpiresAt: exampleTime(900),
	}
}

func exampleEvent() Event {
	return eventView(storage.Event{
		Seq: 42, Type: storage.MessageUpdated, ConversationID: exampleConversationID, MessageID: exampleMessageID, At: exampleTime(75),
	})
}

func exampleProblem(k kind) *Problem {
	p := k.because(nil)
	p.RequestID = "0197a3c2-9999-7c44-9f0a-2f6d1c9b7e55"
	p.Instance = "urn:hark:request:" + p.RequestID
	switch k {
	case kindValidation:
		p.Detail = fmt.Sprintf("body.title: must be %d characters or fewer.", 200)
		p.Errors = []FieldProblem{{Field: "body.title", Message: "must be 200 characters or fewer"}}
	case kindNoTranscript:
		p.State = string(storage.Processing)
	}
	return p
}
