package storage

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Where objects lie in the store, below the configured prefix:
//
//	hark.json                                         which database the store belongs to
//	w/<workspace>/<message>/manifest.json             what the database knows of the message
//	w/<workspace>/<message>/transcript.json           its newest transcript
//	w/<workspace>/<message>/<secret>/original         the recording as it was sent
//	w/<workspace>/<message>/<secret>/original.pieces/ what is kept of a live recording until it ends
//	w/<workspace>/<message>/<secret>/rendition        the playable encoding
//	renditions/<message>/<secret>                     the same, of messages of older versions
//	u/<workspace>/<user>/<secret>/picture.jpg         a user's picture; picture.png where it has an alpha channel
//	u/<workspace>/<user>/<secret>/pronunciation.m4a   how their name is pronounced
//	trash/<yyyy-mm-dd>/<key>                          orphans that were moved aside on that day
//
// The secret has 128 random bits or more: a key cannot be guessed. Pieces lie
// beside the original, as they always did: a node of an older version that
// takes over a recording finds them.
const (
	// MarkerKey is the object that ties a store to its database.
	MarkerKey = "hark.json"

	// MessagesPrefix is the beginning of the keys of all messages' objects,
	// but for OldRenditionsPrefix, where older versions put renditions.
	MessagesPrefix      = "w/"
	OldRenditionsPrefix = "renditions/"

	// UsersPrefix is the beginning of the keys of all that belongs to users.
	UsersPrefix = "u/"

	// TrashPrefix is the beginning of the keys of all that was moved aside.
	TrashPrefix = "trash/"

	manifestName   = "manifest.json"
	transcriptName = "transcript.json"
	originalName   = "original"
	renditionName  = "rendition"
	piecesName     = "original.pieces"

	jpegName          = "picture.jpg"
	pngName           = "picture.png"
	pronunciationName = "pronunciation.m4a"

	secretBytes = 16 // of an original's key
)

// ObjectKind says what an object is.
type ObjectKind int

// The kinds of object that belong to a message, and those that belong to a user.
const (
	OriginalObject ObjectKind = iota + 1
	PieceObject
	RenditionObject
	ManifestObject
	TranscriptObject

	PictureObject
	PronunciationObject
)

// ObjectKey is the key of an object of a message or a user, taken apart.
type ObjectKey struct {
	Kind      ObjectKind
	Workspace string // empty for renditions of older versions
	Message   string // empty for what belongs to a user
	User      string // empty for what belongs to a message
}

// ID is that of what the object belongs to.
func (k ObjectKey) ID() string { return k.Message + k.User }

// ParseKey takes apart a key of an object that belongs to a message or a user; ok is
// false for a key of any shape that Hark does not make. Whatever is under such
// a key is somebody else's.
func ParseKey(key string) (k ObjectKey, ok bool) {
	parts := strings.Split(key, "/")
	switch parts[0] {
	case "renditions":
		ok = len(parts) == 3 && isID(parts[1]) && isOldSecret(parts[2])
		if ok {
			k = ObjectKey{Kind: RenditionObject, Message: parts[1]}
		}
		return k, ok
	case "w":
		if len(parts) < 4 || !isID(parts[1]) || !isID(parts[2]) {
			return ObjectKey{}, false
		}
		kind := messageObject(parts[3:])
		if kind == 0 {
			return ObjectKey{}, false
		}
		return ObjectKey{Kind: kind, Workspace: parts[1], Message: parts[2]}, true
	case "u":
		if len(parts) != 5 || !isID(parts[1]) || !isID(parts[2]) || !isSecret(parts[3]) || userObjects[parts[4]] == 0 {
			return ObjectKey{}, false
		}
		return ObjectKey{Kind: userObjects[parts[4]], Workspace: parts[1], User: parts[2]}, true
	}
	return ObjectKey{}, false
}

// userObjects are the kinds of object of a user, by the ends of their keys.
var userObjects = map[string]ObjectKind{jpegName: PictureObject, pngName: PictureObject, pronunciationName: PronunciationObject}

// messageObject is the kind of an object by the rest of its key behind the
// message; 0 for none that Hark makes.
func messageObject(rest []string) ObjectKind {
	switch {
	case len(rest) == 1 && rest[0] == manifestName:
		return ManifestObject
	case len(rest) == 1 && rest[0] == transcriptName:
		return TranscriptObject
	case len(rest) < 2 || !isSecret(rest[0]):
		return 0
	case len(rest) == 2 && rest[1] == originalName:
		return OriginalObject
	case len(rest) == 2 && rest[1] == renditionName:
		return RenditionObject
	case len(rest) == 3 && rest[1] == piecesName && isPiece(rest[2]):
		return PieceObject
	}
	return 0
}

// NewOriginalKey is where a clip is to be kept: a key that nobody can guess,
// under the message and the workspace that it belongs to.
func NewOriginalKey(workspaceID, messageID string) string {
	return MessagePrefix(workspaceID, messageID) + newKeySecret() + "/" + originalName
}

// NewPictureKey is where a new picture of a user is to be kept, which is a PNG or else a
// JPEG.
func NewPictureKey(workspaceID, userID string, png bool) string {
	name := jpegName
	if png {
		name = pngName
	}
	return newUserKey(workspaceID, userID, name)
}

// NewPronunciationKey is where a new pronunciation of a user's name is to be kept.
func NewPronunciationKey(workspaceID, userID string) string {
	return newUserKey(workspaceID, userID, pronunciationName)
}

func newUserKey(workspaceID, userID, name string) string {
	return UsersPrefix + workspaceID + "/" + userID + "/" + newKeySecret() + "/" + name
}

// UserMediaType is as what the object of a user is served whose key this is.
func UserMediaType(key string) string {
	switch key[strings.LastIndexByte(key, '/')+1:] {
	case jpegName:
		return "image/jpeg"
	case pngName:
		return "image/png"
	}
	return "audio/mp4"
}

// KeyVersion tells what is kept under a key from what was there before it, without giving
// away the key; empty for an empty key.
func KeyVersion(key string) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:8])
}

func newKeySecret() string {
	var secret [secretBytes]byte
	_, _ = rand.Read(secret[:]) // never fails (crypto/rand)
	return hex.EncodeToString(secret[:])
}

// MessagePrefix is the beginning of the keys of all objects of a message, but
// for its rendition if an older version made it.
func MessagePrefix(workspaceID, messageID string) string {
	return MessagesPrefix + workspaceID + "/" + messageID + "/"
}

// ManifestKey is where the manifest of a message lies.
func ManifestKey(workspaceID, messageID string) string {
	return MessagePrefix(workspaceID, messageID) + manifestName
}

// TranscriptKey is where the copy of a message's transcript lies.
func TranscriptKey(workspaceID, messageID string) string {
	return MessagePrefix(workspaceID, messageID) + transcriptName
}

// RenditionKey is where the rendition lies whose original is at the given key,
// which must be one of [NewOriginalKey].
func RenditionKey(originalKey string) string {
	return strings.TrimSuffix(originalKey, originalName) + renditionName
}

// PiecesOf is the beginning of the keys under which a recording is kept in
// pieces until it is finished, when its original will be at the given key.
func PiecesOf(originalKey string) string { return originalKey + ".pieces/" }

// OriginalOfPiece is the key of the original that a piece belongs to; the key
// must be that of a [PieceObject].
func OriginalOfPiece(key string) string {
	original, _, _ := strings.Cut(key, ".pieces/")
	return original
}

// KnownObjects are the objects of a message or a user, as its record has them.
type KnownObjects struct {
	OriginalKey  string
	RenditionKey string
	Recording    bool // pieces of the original belong to it too

	PictureKey       string
	PronunciationKey string
}

// Has says whether an object belongs to the message or the user.
func (m KnownObjects) Has(kind ObjectKind, key string) bool {
	switch kind {
	case OriginalObject:
		return key == m.OriginalKey
	case RenditionObject:
		return key == m.RenditionKey
	case PieceObject:
		return m.Recording && OriginalOfPiece(key) == m.OriginalKey
	case ManifestObject, TranscriptObject:
		return true
	case PictureObject:
		return key == m.PictureKey
	case PronunciationObject:
		return key == m.PronunciationKey
	}
	return false
}

// TrashKey is where an orphan is moved aside to on a day.
func TrashKey(day time.Time, key string) string {
	return TrashPrefix + day.UTC().Format(time.DateOnly) + "/" + key
}

// ParseTrashKey takes apart the key of an orphan that was moved aside: on which
// day, and from which key. ok is false for keys that are not Hark's.
func ParseTrashKey(key string) (day time.Time, from string, ok bool) {
	rest, trash := strings.CutPrefix(key, TrashPrefix)
	date, from, cut := strings.Cut(rest, "/")
	if !trash || !cut {
		return time.Time{}, "", false
	}
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return time.Time{}, "", false
	}
	if _, ok := ParseKey(from); !ok {
		return time.Time{}, "", false
	}
	return day, from, true
}

// isID says whether s is an id as [NewID] writes them.
func isID(s string) bool {
	id, err := uuid.Parse(s)
	return err == nil && id.String() == s
}

// isSecret says whether s is the unguessable part of an original's key.
func isSecret(s string) bool {
	return len(s) == 2*secretBytes && strings.Trim(s, "0123456789abcdef") == ""
}

// isOldSecret says whether s is the unguessable part of the key of a rendition
// that an older version made: 43 characters of base62, padded in front.
func isOldSecret(s string) bool {
	if len(s) != 43 {
		return false
	}
	for _, c := range strings.TrimLeft(s, " ") {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// isPiece says whether s numbers a piece.
func isPiece(s string) bool {
	if len(s) < 6 {
		return false
	}
	_, err := strconv.ParseUint(s, 10, 32)
	return err == nil
}

// Binding is how a database and an object store know each other: by the ids
// that both keep of both. An empty id means that it is not set.
type Binding struct {
	Database string
	Store    string
}
