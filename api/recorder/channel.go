package recorder

import (
	"context"
	"encoding/json"

	"hark/api/strictjson"
	"hark/transcribe/live"
)

// notice is a message to the speaker's data channel. The types are hello,
// paused, resumed, kept, ending and ended, each with its fields.
type notice struct {
	Type      string `json:"type"`
	MessageID string `json:"message_id,omitempty"` // hello
	Captions  *bool  `json:"captions,omitempty"`   // hello: whether captions will come
	MS        int64  `json:"ms,omitempty"`         // kept: how much is on the disk
	InMS      int64  `json:"in_ms,omitempty"`      // ending: how long from now
	Reason    string `json:"reason,omitempty"`     // ending, ended
}

// captionNotice is a caption to the speaker.
type captionNotice struct {
	Type string `json:"type"`
	live.Caption
}

// say sends a message to the speaker. Until their channel opens it waits; when
// they have none, or do not keep up, it is dropped.
func (rec *Recording) say(message any) {
	encoded, err := json.Marshal(message)
	if err != nil {
		rec.log.Error("encoding data channel message failed", "error", err)
		return
	}
	_ = rec.session.Send(encoded) // says only why it was dropped
}

// Message takes what the speaker's data channel brings (whip.Sink). What is
// not understood is ignored, so that clients may be newer than servers.
func (rec *Recording) Message(data []byte) {
	members, err := strictjson.Object(data)
	if err != nil || !rec.live.Load() {
		return
	}
	var asked string
	if err := json.Unmarshal(members["type"], &asked); err != nil {
		return
	}
	switch asked {
	case "pause":
		rec.SetPaused(true)
	case "resume":
		rec.SetPaused(false)
	case "stop":
		go rec.Stop() // ends soon, and Close waits for the recording
	}
}

// notifyKept tells speakers how much of what they said is on disk.
func (r *Recorder) notifyKept(context.Context) {
	for _, rec := range r.registry.speakers() {
		rec.sendKept()
	}
}

func (rec *Recording) sendKept() {
	kept := rec.track.Kept()
	if kept > rec.sentKept {
		rec.sentKept = kept
		rec.say(notice{Type: "kept", MS: kept})
	}
}
