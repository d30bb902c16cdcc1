package recorder

import (
	"context"
	"time"

	"hark/storage"
)

// pauseEvery is how often pauses are noted. Who pauses and resumes many times
// within it costs the records nothing.
const pauseEvery = 500 * time.Millisecond

// notePauses records who pauses and who goes on. What cannot be recorded is
// tried again the next time.
func (r *Recorder) notePauses(ctx context.Context) {
	for _, rec := range r.registry.speakers() {
		if !rec.live.Load() {
			continue
		}
		paused := rec.session.Paused()
		if paused == rec.notedPause {
			continue
		}
		if err := r.Records.PauseRecording(ctx, rec.id, r.Spool.Node(), paused); err != nil {
			rec.log.DebugContext(ctx, "saving pause of live recording failed", "error", err)
			continue
		}
		rec.notedPause = paused
		r.tellOngoing(ctx, rec)
	}
}

// tellOngoing tells who may hear the conversation that somebody began, paused,
// resumed or ended a recording. It passes: who misses it reads the list when
// they look again.
func (r *Recorder) tellOngoing(ctx context.Context, rec *Recording) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTimeout)
	defer cancel()
	err := r.Bus.PublishEvents(ctx, []storage.Event{{
		WorkspaceID: rec.principal.WorkspaceID, Type: storage.ConversationRecordings, ConversationID: rec.conversationID, At: storage.Now(),
	}})
	if err != nil {
		rec.log.DebugContext(ctx, "publishing live recording progress failed", "error", err)
	}
}
