package sqldb_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"hark/storage"
	"hark/storage/quiet"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

func TestChangeProfile(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		hours := &quiet.Hours{From: "22:00", To: "07:00", Days: []string{"fri"}}
		p := must(db.ChangeProfile(ctx, h.bob, storage.ProfilePatch{Name: new("Robert"), Language: new("de"), TimeZone: new("Europe/Berlin"), QuietHours: &hours}))(t)
		if p.Name != "Robert" || p.Language != "de" || p.TimeZone != "Europe/Berlin" || p.QuietHours.From != "22:00" {
			t.Errorf("%+v", p)
		}
		before := must(db.Profile(ctx, h.bob))(t)
		for what, wrong := range map[string]storage.ProfilePatch{
			"language": {Language: new("xx")}, "zone": {TimeZone: new("Local")}, "hours": {QuietHours: new(&quiet.Hours{From: "1", To: "2"})}, "name": {Name: new(""), Language: new("en")},
		} {
			if _, err := db.ChangeProfile(ctx, h.bob, wrong); !errors.Is(err, storage.ErrInvalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
		after := must(db.ChangeProfile(ctx, h.bob, storage.ProfilePatch{TimeZone: new("")}))(t)
		if after.TimeZone != "" || after.Language != before.Language || !slices.Equal(after.QuietHours.Days, hours.Days) {
			t.Errorf("%+v", after)
		}
		if none := must(db.ChangeProfile(ctx, h.bob, storage.ProfilePatch{QuietHours: new((*quiet.Hours)(nil))}))(t); none.QuietHours != nil {
			t.Errorf("%+v", none.QuietHours)
		}
		if p := must(db.Profile(ctx, h.ada))(t); p.Language != "" || p.QuietHours != nil {
			t.Errorf("another has %+v", p.Personal)
		}
	})
}

// TestUserObjects: what was replaced is to be deleted, also of two who set it at once, and
// what a user has is known to the sweep.
func TestUserObjects(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		picture := func(who storage.Principal) string { return storage.NewPictureKey(who.WorkspaceID, who.UserID, false) }
		set := func(who storage.Principal, key string) (storage.User, error) {
			return db.SetUserObject(ctx, who, h.bob.UserID, storage.PictureObject, key)
		}
		doomed := func() []string { return must(db.ObjectsToDelete(ctx, 100))(t) }

		first := picture(h.bob)
		if u := must(set(h.bob, first))(t); u.PictureKey != first || !h.known(first) || len(doomed()) != 0 {
			t.Errorf("%+v, doomed %q", u, doomed())
		}
		keys := make([]string, 8)
		var all sync.WaitGroup
		for i := range keys {
			keys[i] = picture(h.bob)
			all.Go(func() {
				if _, err := set(h.bob, keys[i]); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		now := must(db.KnownUser(ctx, h.ada, h.bob.UserID))(t).PictureKey
		gone := doomed()
		for _, key := range append(keys, first) {
			if slices.Contains(gone, key) == (key == now) || h.known(key) != (key == now) {
				t.Errorf("%s: kept is %s, doomed are %q", key, now, gone)
			}
		}

		// Of whom one does not know is not there, and another's is not one's own to set.
		_, err := set(h.mal, "")
		wantErr(t, err, storage.ErrNotFound)
		_, err = db.KnownUser(ctx, h.mal, h.bob.UserID)
		wantErr(t, err, storage.ErrNotFound)
		_, err = set(h.eve, "")
		wantErr(t, err, storage.ErrForbidden)
		_, err = set(h.ada, picture(h.bob))
		wantErr(t, err, storage.ErrForbidden)
		if _, err := set(h.bob, picture(h.ada)); err == nil {
			t.Error("another's key is taken")
		}
		if _, err := set(h.bob, storage.NewPronunciationKey(h.bob.WorkspaceID, h.bob.UserID)); err == nil {
			t.Error("a pronunciation is taken for a picture")
		}
		if u := must(set(h.ada, ""))(t); u.PictureKey != "" || !slices.Contains(doomed(), now) {
			t.Errorf("%+v", u)
		}
		h.checkUserObjectsRestored(now)
	})
}

func (h *harness) checkUserObjectsRestored(doomed string) {
	h.tb.Helper()
	ctx := h.tb.Context()
	key := storage.NewPronunciationKey(h.bob.WorkspaceID, h.bob.UserID)
	for what, c := range map[string]struct {
		key  string
		want bool
	}{
		"of a user":            {key, true},
		"again":                {key, true},
		"a second":             {storage.NewPronunciationKey(h.bob.WorkspaceID, h.bob.UserID), false},
		"of nobody":            {storage.NewPictureKey(h.bob.WorkspaceID, storage.NewID(), true), false},
		"of another workspace": {storage.NewPictureKey(h.mal.WorkspaceID, h.bob.UserID, true), false},
		"about to be deleted":  {doomed, false},
		"of a message":         {storage.NewOriginalKey(h.bob.WorkspaceID, storage.NewID()), false},
	} {
		if what != "of a user" && must(h.RestoreUserObject(ctx, key))(h.tb) == false {
			h.tb.Fatal("not restored")
		}
		if has := must(h.RestoreUserObject(ctx, c.key))(h.tb); has != c.want {
			h.tb.Errorf("%s: %v", what, has)
		}
	}
}
