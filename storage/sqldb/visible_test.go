package sqldb_test

import (
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// Who has a signed address sees the one message, as its user would, and nothing
// of all else that the user sees.
func TestSignedSeesOneMessage(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m, other := h.say(h.ada, h.room.ID, "secret words"), h.say(h.ada, h.room.ID, "other words")
		token, _, err := h.CreateToken(t.Context(), h.bob.UserID, storage.NewToken{Kind: storage.APIToken, Name: "x"})
		h.check(err)
		hearer := must(h.AuthenticateSigned(t.Context(), token.ID, m.ID))(t)
		if got := must(h.Message(t.Context(), hearer, m.ID))(t); got.ID != m.ID {
			t.Errorf("message %+v", got)
		}
		_, err = h.Message(t.Context(), hearer, other.ID)
		wantErr(t, err, storage.ErrNotFound)
		_, err = h.Conversation(t.Context(), hearer, h.room.ID)
		wantErr(t, err, storage.ErrNotFound)
		_, err = h.Messages(t.Context(), hearer, h.room.ID, storage.MessagePage{})
		wantErr(t, err, storage.ErrNotFound)
		if list, _ := must2(h.Conversations(t.Context(), hearer, storage.Page{}))(t); len(list) != 0 {
			t.Errorf("conversations %v", list)
		}
		if r := must(h.Search(t.Context(), hearer, storage.Query{Text: "words"}))(t); len(r.Hits) != 0 || r.Total != 0 {
			t.Errorf("hits %+v", r)
		}
		for _, e := range must(h.EventsAfter(t.Context(), hearer, 0, 0))(t) {
			if e.ConversationID != "" {
				t.Errorf("event %+v", e)
			}
		}
		h.check(h.RemoveConversationMember(t.Context(), h.ada, h.room.ID, h.bob.UserID))
		_, err = h.Message(t.Context(), hearer, m.ID)
		wantErr(t, err, storage.ErrNotFound)
		h.check(h.RevokeToken(t.Context(), h.bob, token.ID))
		_, err = h.AuthenticateSigned(t.Context(), token.ID, m.ID)
		wantErr(t, err, storage.ErrNotFound)
	})
}
