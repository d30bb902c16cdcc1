package storage_test

import (
	"strings"
	"testing"
	"time"

	"hark/storage"
)

const (
	someWorkspace = "01890a5d-ac96-774b-bcce-b302099a8057"
	someMessage   = "01890a5d-ac96-774b-bcce-b302099a8058"
	someSecret    = "00112233445566778899aabbccddeeff"
	oldSecret     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg"
)

func TestParseKey(t *testing.T) {
	original := storage.NewOriginalKey(someWorkspace, someMessage)
	for key, kind := range map[string]storage.ObjectKind{
		original:                                                                  storage.OriginalObject,
		storage.RenditionKey(original):                                            storage.RenditionObject,
		storage.PiecesOf(original) + "000012":                                     storage.PieceObject,
		storage.PiecesOf(original) + "1000000":                                    storage.PieceObject,
		storage.ManifestKey(someWorkspace, someMessage):                           storage.ManifestObject,
		storage.TranscriptKey(someWorkspace, someMessage):                         storage.TranscriptObject,
		"renditions/" + someMessage + "/" + oldSecret:                             storage.RenditionObject,
		"renditions/" + someMessage + "/ " + oldSecret[:42]:                       storage.RenditionObject,
		"w/" + someWorkspace + "/" + someMessage + "/" + someSecret + "/original": storage.OriginalObject,
	} {
		k, ok := storage.ParseKey(key)
		if !ok || k.Kind != kind || k.Message != someMessage || k.Workspace != someWorkspace && strings.HasPrefix(key, "w/") {
			t.Errorf("%s: %+v, %v", key, k, ok)
		}
	}
	if got := storage.OriginalOfPiece(storage.PiecesOf(original) + "000012"); got != original {
		t.Errorf("the original of a piece is %s", got)
	}
}

func TestParseUserKey(t *testing.T) {
	for key, want := range map[string]struct {
		kind storage.ObjectKind
		as   string
	}{
		storage.NewPictureKey(someWorkspace, someMessage, false): {storage.PictureObject, "image/jpeg"},
		storage.NewPictureKey(someWorkspace, someMessage, true):  {storage.PictureObject, "image/png"},
		storage.NewPronunciationKey(someWorkspace, someMessage):  {storage.PronunciationObject, "audio/mp4"},
	} {
		k, ok := storage.ParseKey(key)
		if !ok || k != (storage.ObjectKey{Kind: want.kind, Workspace: someWorkspace, User: someMessage}) || k.ID() != someMessage || storage.UserMediaType(key) != want.as {
			t.Errorf("%s: %+v, %v", key, k, ok)
		}
		if version := storage.KeyVersion(key); len(version) != 16 || strings.Contains(key, version) {
			t.Errorf("%s: version %q", key, version)
		}
		for _, other := range []string{key + "/", key + "x", strings.Replace(key, "u/", "w/", 1), strings.Replace(key, "picture.", "picture.svg.", 1)[1:], strings.ToUpper(key)} {
			if k, ok := storage.ParseKey(other); ok {
				t.Errorf("%q is taken for one of ours: %+v", other, k)
			}
		}
	}
	if storage.KeyVersion("") != "" {
		t.Error("nothing has a version")
	}
}

// A bucket may be anybody's too. What does not look exactly like Hark's is not.
func TestParseKeyOfOthers(t *testing.T) {
	message := "w/" + someWorkspace + "/" + someMessage + "/"
	for _, key := range []string{
		"", "w", "w/", "/", "hark.json", "dump.sql", "w/1/m/1/original", "photographs/beach.jpg", "backup/" + message + "manifest.json",
		message, message + "original", message + someSecret, message + someSecret + "/", message + someSecret + "/original/", message + someSecret + "/originals",
		message + someSecret + "/original.pieces/", message + someSecret + "/original.pieces/12", message + someSecret + "/original.pieces/0000-1",
		message + someSecret + "/original.pieces/000001/x", message + strings.ToUpper(someSecret) + "/original", message + someSecret[1:] + "/original",
		message + "manifest.json.bak", message + "notes.txt", "w//" + someMessage + "/manifest.json", strings.ToUpper(message) + "manifest.json",
		"w/{" + someWorkspace + "}/" + someMessage + "/manifest.json", "w/urn:uuid:" + someWorkspace + "/" + someMessage + "/manifest.json",
		"w/" + strings.ReplaceAll(someWorkspace, "-", "") + "/" + someMessage + "/manifest.json",
		"renditions/" + someMessage, "renditions/" + someMessage + "/" + oldSecret[1:], "renditions/" + someMessage + "/" + oldSecret[1:] + "-",
		"trash/2026-01-01/" + message + "manifest.json",
	} {
		if k, ok := storage.ParseKey(key); ok {
			t.Errorf("%q is taken for one of ours: %+v", key, k)
		}
	}
}

func TestTrashKey(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	original := storage.NewOriginalKey(someWorkspace, someMessage)
	key := storage.TrashKey(day.Add(23*time.Hour), original)
	if got, from, ok := storage.ParseTrashKey(key); !ok || from != original || !got.Equal(day) {
		t.Errorf("%s: %s, %s, %v", key, got, from, ok)
	}
	for _, key := range []string{"", "trash/", original, "trash/2026-03-01/", "trash/2026-03-01/old.txt", "trash/2026-02-30/" + original, "trash/yesterday/" + original} {
		if _, _, ok := storage.ParseTrashKey(key); ok {
			t.Errorf("%q is taken for one of ours", key)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	for _, key := range []string{
		storage.ManifestKey(someWorkspace, someMessage), "renditions/" + someMessage + "/" + oldSecret,
		"w/" + someWorkspace + "/" + someMessage + "/" + someSecret + "/original.pieces/000001",
	} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		k, ok := storage.ParseKey(key)
		switch {
		case !ok:
			if k != (storage.ObjectKey{}) {
				t.Errorf("%q is not ours, but %+v", key, k)
			}
			return
		case k.Kind == 0 || !strings.Contains(key, "/"+k.Message+"/"):
			t.Errorf("%q: %+v", key, k)
		case k.Workspace != "" && !strings.HasPrefix(key, storage.MessagePrefix(k.Workspace, k.Message)):
			t.Errorf("%q does not lie under its message: %+v", key, k)
		}
		if _, from, ok := storage.ParseTrashKey(storage.TrashKey(time.Unix(0, 0), key)); !ok || from != key {
			t.Errorf("%q does not come back from the trash", key)
		}
	})
}
