package recorder

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hark/storage"
	"hark/transcribe/live"
)

// captionTimeout bounds how long a caption may hold up those behind it.
const captionTimeout = time.Second

// caption gives a caption to the speaker and to who listens. It passes: who
// misses it misses nothing that the transcript will not have.
func (rec *Recording) caption(c live.Caption) {
	rec.say(captionNotice{Type: "caption", Caption: c})
	if err := rec.publishCaption(c); err != nil {
		rec.log.Debug("publishing caption failed", "error", err)
	}
	said := rec.origin.Load() + c.EndMS
	rec.recorder.metrics.caption(c.Final, time.Duration(rec.since()-said)*time.Millisecond)
}

func (rec *Recording) publishCaption(c live.Caption) error {
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode caption: %w", err)
	}
	event := storage.Event{
		WorkspaceID: rec.principal.WorkspaceID, Type: storage.MessageCaption,
		ConversationID: rec.conversationID, MessageID: rec.id, Data: data, At: storage.Now(), SentAt: rec.sentAt,
	}
	if rec.captions != storage.CaptionsConversation {
		event.OnlyFor = rec.principal.UserID
	}
	ctx, cancel := context.WithTimeout(rec.recorder.work, captionTimeout)
	defer cancel()
	return rec.recorder.Bus.PublishEvents(ctx, []storage.Event{event})
}
