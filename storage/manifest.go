package storage

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"hark/media"
	"hark/media/transcript"
)

// manifestFormat is the version of the manifest's form. A reader takes this
// and older ones. Only what needs it is written in a newer one: versions that know the
// first form alone would publish drafts, and those before the third show the past of a
// conversation to who may not see it.
const (
	manifestFormat      = 3
	manifestFormatDraft = 2
	manifestFormatPlain = 1
)

// Manifest is what lies beside a message's objects for the day on which the
// database is lost: all that its record, its conversation and the people in it
// can be made from again. What differs between the manifests of a
// conversation, such as its members, is as the newest has it.
type Manifest struct {
	Format       int                  `json:"format"`
	WrittenAt    time.Time            `json:"written_at"`
	Revision     int64                `json:"-"` // of the record that it was made from
	Replaces     int64                `json:"-"` // the revision that was written last when it was made
	Workspace    ManifestWorkspace    `json:"workspace"`
	Conversation ManifestConversation `json:"conversation"`
	People       []ManifestPerson     `json:"people"` // the workspace's owner, the author, the members and the maker of the conversation
	Message      ManifestMessage      `json:"message"`
	Original     ManifestOriginal     `json:"original"`
	Rendition    *ManifestRendition   `json:"rendition,omitempty"`

	// TranscriptVersion is that of the transcript beside the manifest; 0 means
	// that there is none.
	TranscriptVersion int `json:"transcript_version,omitempty"`
}

// ManifestWorkspace is the workspace of a message.
type ManifestWorkspace struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	Rules     *Rules    `json:"rules,omitempty"` // where somebody chose others than the default
}

// ManifestConversation is the conversation of a message.
type ManifestConversation struct {
	ID        string           `json:"id"`
	Kind      ConversationKind `json:"kind"`
	Title     string           `json:"title"`
	CreatedBy string           `json:"created_by"` // user id
	CreatedAt time.Time        `json:"created_at"`
	Members   []string         `json:"members"`           // user ids, sorted
	General   bool             `json:"general,omitempty"` // whether everybody joins it who is added to the workspace

	// History is empty where it is [HistoryAll]. ShownSince has of those members who do
	// not see all when what they see begins.
	History    History              `json:"history,omitempty"`
	ShownSince map[string]time.Time `json:"shown_since,omitempty"`
}

// ManifestPerson is somebody whom a message or its conversation names.
type ManifestPerson struct {
	ID   string   `json:"id"`
	Kind UserKind `json:"kind,omitempty"` // empty of a person
	Name string   `json:"name"`
	Role Role     `json:"role"`
}

// ManifestMessage is the record of a message, without where its objects are.
type ManifestMessage struct {
	ID           string    `json:"id"`
	AuthorID     string    `json:"author_id"`
	Title        string    `json:"title,omitempty"`
	ReplyTo      string    `json:"reply_to,omitempty"`
	ReplyAtMS    int64     `json:"reply_at_ms,omitempty"`
	RecordedAt   time.Time `json:"recorded_at"`
	CreatedAt    time.Time `json:"created_at"`
	Draft        bool      `json:"draft,omitempty"` // not sent
	DurationMS   int64     `json:"duration_ms,omitempty"`
	EndReason    string    `json:"end_reason,omitempty"`
	LoudnessLUFS *float64  `json:"loudness_lufs,omitempty"`
	Waveform     []float64 `json:"waveform,omitempty"`
}

// ManifestOriginal is the recording as it was sent.
type ManifestOriginal struct {
	Key      string       `json:"key"`
	Format   media.Format `json:"format"`
	Bytes    int64        `json:"bytes"`
	SHA256   string       `json:"sha256"`
	Filename string       `json:"filename,omitempty"`
}

// ManifestRendition is the playable encoding of it.
type ManifestRendition struct {
	Key       string `json:"key"`
	MediaType string `json:"media_type"`
	Bytes     int64  `json:"bytes"`
}

// Encode renders the manifest as it lies in the store.
func (m Manifest) Encode() ([]byte, error) {
	m.Format = manifestFormatPlain
	if m.Message.Draft {
		m.Format = manifestFormatDraft
	}
	if m.Conversation.History != "" || len(m.Conversation.ShownSince) > 0 {
		m.Format = manifestFormat
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode manifest of message %s: %w", m.Message.ID, err)
	}
	return append(b, '\n'), nil
}

// ParseManifest reads a manifest and makes sure that a record can be made of
// it: ids are ids, the keys are the message's own, and everybody who is named
// is among the people.
func ParseManifest(b []byte) (m Manifest, err error) {
	if err := json.Unmarshal(b, &m); err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	if err := m.check(); err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	return m, nil
}

func (m *Manifest) check() error {
	if m.Format < 1 || m.Format > manifestFormat {
		return fmt.Errorf("its format is %d, and this version reads up to %d", m.Format, manifestFormat)
	}
	for what, id := range map[string]string{
		"workspace": m.Workspace.ID, "conversation": m.Conversation.ID, "message": m.Message.ID, "author": m.Message.AuthorID,
	} {
		if !isID(id) {
			return fmt.Errorf("%q is no id of a %s", id, what)
		}
	}
	if m.Message.ReplyTo != "" && !isID(m.Message.ReplyTo) {
		return fmt.Errorf("%q is no id of a message", m.Message.ReplyTo)
	}
	if m.Conversation.Kind != Channel && m.Conversation.Kind != Direct {
		return fmt.Errorf("%q is no kind of conversation", m.Conversation.Kind)
	}
	if m.Workspace.Rules != nil {
		if err := CheckRules(*m.Workspace.Rules); err != nil {
			return err
		}
	}
	return errors.Join(CheckHistory(m.Conversation.Kind, m.Conversation.History), m.checkPeople(), m.checkObjects())
}

func (m *Manifest) checkPeople() error {
	known := map[string]bool{}
	for _, p := range m.People {
		if !isID(p.ID) {
			return fmt.Errorf("%q is no id of a user", p.ID)
		}
		if err := oneOf("kind", p.Kind, "", KindIntegration); err != nil {
			return err
		}
		if err := CheckRole(p.Role); err != nil {
			return err
		}
		if !Fits(p.Kind, p.Role) {
			return fmt.Errorf("%q is no role of an integration", p.Role)
		}
		known[p.ID] = true
	}
	for _, id := range append([]string{m.Message.AuthorID, m.Conversation.CreatedBy}, m.Conversation.Members...) {
		if !known[id] {
			return fmt.Errorf("user %q is not among the people", id)
		}
	}
	return nil
}

func (m *Manifest) checkObjects() error {
	k, ok := ParseKey(m.Original.Key)
	if !ok || k.Kind != OriginalObject || k.Workspace != m.Workspace.ID || k.Message != m.Message.ID {
		return fmt.Errorf("%q is no key of the message's recording", m.Original.Key)
	}
	if m.Original.Bytes < 1 {
		return fmt.Errorf("a recording of %d bytes", m.Original.Bytes)
	}
	if m.Rendition == nil {
		return nil
	}
	if k, ok := ParseKey(m.Rendition.Key); !ok || k.Kind != RenditionObject || k.Message != m.Message.ID {
		return fmt.Errorf("%q is no key of the message's rendition", m.Rendition.Key)
	}
	return nil
}

// StoredTranscript is the copy of a transcript that lies beside a manifest.
type StoredTranscript struct {
	Version   int       `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	transcript.Transcript
}

// ParseTranscript reads a transcript that lies beside a manifest.
func ParseTranscript(b []byte) (t StoredTranscript, err error) {
	if err := json.Unmarshal(b, &t); err != nil {
		return StoredTranscript{}, fmt.Errorf("read transcript: %w", err)
	}
	if t.Version < 1 {
		return StoredTranscript{}, fmt.Errorf("read transcript: its version is %d", t.Version)
	}
	for i, gap := range t.Gaps {
		if !slices.Contains(transcript.GapReasons(), gap.Reason) {
			return StoredTranscript{}, fmt.Errorf("read transcript: gap %d is for the reason %q, which is none", i, gap.Reason)
		}
	}
	if err := t.tidy(); err != nil {
		return StoredTranscript{}, fmt.Errorf("read transcript: %w", err)
	}
	return t, nil
}
