package sqldb_test

import (
	"slices"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// TestInvalidValues has what a caller's checks missed be refused by the
// records, and what theirs missed by the database.
func TestInvalidValues(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for name, try := range map[string]func() error{
			"kind of conversation": func() error {
				_, _, err := db.CreateConversation(t.Context(), h.ada, storage.NewConversation{Kind: "CHANNEL", Title: "room"})
				return err
			},
			"no kind of conversation": func() error {
				_, _, err := db.CreateConversation(t.Context(), h.ada, storage.NewConversation{Title: "room"})
				return err
			},
			"too many members": func() error {
				_, _, err := db.CreateConversation(t.Context(), h.ada, storage.NewConversation{Kind: storage.Channel, Title: "room", MemberIDs: slices.Repeat([]string{h.bob.UserID}, storage.MaxNewMembers+1)})
				return err
			},
			"role": func() error {
				_, err := db.CreateUser(t.Context(), h.ada.WorkspaceID, "Ida", "OWNER")
				return err
			},
			"kind of token": func() error {
				_, _, err := db.CreateToken(t.Context(), h.ada.UserID, storage.NewToken{Kind: "Api", Name: "x"})
				return err
			},
			"life below nothing": func() error {
				_, _, err := db.CreateToken(t.Context(), h.ada.UserID, storage.NewToken{Kind: storage.APIToken, Name: "x", Life: -time.Second})
				return err
			},
			"life too long": func() error {
				_, _, err := db.CreateToken(t.Context(), h.ada.UserID, storage.NewToken{Kind: storage.APIToken, Name: "x", Life: storage.MaxTokenLife + time.Second})
				return err
			},
			"captions": func() error {
				r := newRecording(h.room, "n1")
				r.Captions = "all"
				_, err := db.BeginRecording(t.Context(), h.ada, r)
				return err
			},
			"conversation's column": func() error { return db.Exec(t.Context(), `UPDATE conversations SET kind = 'x'`) },
			"user's column":         func() error { return db.Exec(t.Context(), `UPDATE users SET role = 'x'`) },
			"token's columns": func() error {
				return db.Exec(t.Context(), `INSERT INTO tokens (id, user_id, kind, name, hash, created_at) VALUES (?, ?, 'x', '', 'x', 0)`, storage.NewID(), h.ada.UserID)
			},
			"token's end": func() error {
				return db.Exec(t.Context(), `INSERT INTO tokens (id, user_id, kind, name, hash, created_at, expires_at) VALUES (?, ?, 'api', '', 'y', 0, -1)`, storage.NewID(), h.ada.UserID)
			},
			"recording's column": func() error {
				h.speak("n1")
				return db.Exec(t.Context(), `UPDATE recordings SET captions = 'x'`)
			},
		} {
			if err := try(); err == nil {
				t.Errorf("%s: was kept", name)
			} else {
				wantErr(t, err, storage.ErrInvalid)
			}
		}
	})
}
