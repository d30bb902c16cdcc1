package api

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/api/limit"
	"hark/api/people"
	"hark/media/render"
	"hark/media/short"
	"hark/storage"
	"hark/storage/blob"
)

// pngOf is a square picture.
func pngOf(t testing.TB, side int) []byte {
	t.Helper()
	p := image.NewGray(image.Rect(0, 0, side, side))
	for i := range p.Pix {
		p.Pix[i] = byte(i)
	}
	p.Set(0, 0, color.White)
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// show gives somebody a picture and a pronunciation.
func (h *harness) show(who storage.Principal) {
	h.t.Helper()
	for kind, key := range map[storage.ObjectKind]string{
		storage.PictureObject: storage.NewPictureKey(who.WorkspaceID, who.UserID, true), storage.PronunciationObject: storage.NewPronunciationKey(who.WorkspaceID, who.UserID),
	} {
		_, err := sharedObjects.Put(h.t.Context(), key, storage.UserMediaType(key), strings.NewReader("bytes"), 5)
		must(h.t, err)
		_, err = h.db.SetUserObject(h.t.Context(), who, who.UserID, kind, key)
		must(h.t, err)
	}
}

func (c *client) put(path string, body []byte) *answer {
	c.t.Helper()
	return c.send("PUT", path, bytes.NewReader(body), "Content-Type", "application/octet-stream")
}

// objectsOf are the keys in the store that belong to a user.
func (h *harness) objectsOf(who *client) (keys []string) {
	h.t.Helper()
	must(h.t, sharedObjects.List(h.t.Context(), storage.UsersPrefix+who.principal.WorkspaceID+"/"+who.principal.UserID+"/", func(o blob.Object) error {
		keys = append(keys, o.Key)
		return nil
	}))
	return keys
}

// purge deletes what is to be deleted, as maintenance does.
func (h *harness) purge() {
	h.t.Helper()
	keys, err := h.db.ObjectsToDelete(h.t.Context(), 1000)
	must(h.t, err)
	must(h.t, sharedObjects.Delete(h.t.Context(), keys...))
	must(h.t, h.db.ForgetObjects(h.t.Context(), keys))
}

func TestPicture(t *testing.T) {
	h := newHarness(t)
	mia, gus, guestOut, stranger := h.user("Mia", storage.RoleMember), h.user("Gus", storage.Guest), h.user("Gil", storage.Guest), h.stranger()
	mia.get("/v1/users/"+mia.principal.UserID+"/picture").problem(404, "not_found")
	first := decode[people.User](mia.put("/v1/me/picture", pngOf(t, 40)).want(200)).Picture
	a := mia.get(first).want(200)
	for name, want := range map[string]string{
		"Content-Type": "image/jpeg", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
		"Cache-Control": "private, max-age=31536000, immutable", "Content-Disposition": "inline",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if c, _, err := image.DecodeConfig(bytes.NewReader(a.body)); err != nil || c.Width != 256 {
		t.Errorf("%v: %+v", err, c)
	}
	if a := mia.send("GET", first, nil, "If-None-Match", a.header.Get("ETag")); a.status != http.StatusNotModified {
		t.Error(a.status)
	}
	path, _, _ := strings.Cut(first, "?")
	if a := mia.get(path).want(200); a.header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("%q", a.header.Get("Cache-Control"))
	}

	// Who may not know of her is answered as if she, or her picture, were not there.
	for name, who := range map[string]*client{"another workspace": stranger, "a guest who does not meet her": guestOut, "a guest who does not yet": gus} {
		who.get(first).problem(404, "not_found")
		who.get("/v1/users/"+storage.NewID()+"/picture").problem(404, "not_found")
		if who.send("DELETE", path, nil).status != 404 {
			t.Error(name)
		}
	}
	room, _, err := h.db.CreateConversation(t.Context(), h.owner.principal, storage.NewConversation{Kind: storage.Channel, Title: "Here", MemberIDs: []string{mia.principal.UserID}})
	must(t, err)
	must(t, h.db.AddConversationMember(t.Context(), h.owner.principal, room.ID, gus.principal.UserID))
	gus.get(first).want(200)
	gus.send("DELETE", path, nil).problem(403, "forbidden")

	second := decode[people.User](mia.put("/v1/me/picture", pngOf(t, 50)).want(200)).Picture
	if second == first {
		t.Error("another picture has the same address")
	}
	mia.get(first).problem(410, "representation_gone")
	h.purge()
	if keys := h.objectsOf(mia); len(keys) != 1 {
		t.Errorf("%q", keys)
	}
	// Of who is deactivated, it is still seen by the others; an admin can take it away.
	must(t, h.db.DisableUser(t.Context(), mia.principal.WorkspaceID, mia.principal.UserID))
	mia.put("/v1/me/picture", pngOf(t, 40)).want(401)
	h.owner.get(second).want(200)
	h.owner.send("DELETE", path, nil).want(204)
	h.owner.get(second).problem(404, "not_found")
	h.purge()
	if keys := h.objectsOf(mia); len(keys) != 0 {
		t.Errorf("%q", keys)
	}
}

func TestPictureRefused(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.Limits.Pictures = limit.Rate{N: 6, Per: 24 * time.Hour} }})
	for what, c := range map[string]struct {
		body   []byte
		status int
		code   string
	}{
		"SVG":      {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), 415, "not_picture"},
		"nothing":  {nil, 415, "not_picture"},
		"half":     {pngOf(t, 100)[:200], 415, "not_picture"},
		"too much": {make([]byte, 9<<20), 413, "too_large"},
	} {
		if p := h.owner.put("/v1/me/picture", c.body).problem(c.status, c.code); p.Detail == "" {
			t.Error(what)
		}
	}
	if keys := h.objectsOf(h.owner); len(keys) != 0 {
		t.Errorf("%q", keys)
	}
	h.owner.send("PUT", "/v1/me/picture", io.MultiReader(bytes.NewReader(make([]byte, 9<<20)))).problem(413, "too_large") // of no declared length
	h.owner.put("/v1/me/picture", pngOf(t, 10)).want(200)
	h.owner.put("/v1/me/picture", pngOf(t, 10)).problem(429, "rate_limited")
}

// TestPicturesAtOnce: of several, one is kept, and nothing is left of the others.
func TestPicturesAtOnce(t *testing.T) {
	h := newHarness(t)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() { h.owner.put("/v1/me/picture", pngOf(t, 20+i)).want(200) })
	}
	all.Wait()
	h.purge()
	keys := h.objectsOf(h.owner)
	known, err := h.db.KnownObjects(t.Context(), []string{h.owner.principal.UserID})
	must(t, err)
	if len(keys) != 1 || keys[0] != known[h.owner.principal.UserID].PictureKey {
		t.Errorf("%q, known is %+v", keys, known)
	}
}

func TestPronunciation(t *testing.T) {
	h := newHarness(t)
	gus := h.user("Gus", storage.Guest)
	made := decode[people.User](h.owner.put("/v1/me/pronunciation", sine(2*time.Second)).want(200)).Pronunciation
	a := h.owner.get(made).want(200)
	if a.header.Get("Content-Type") != "audio/mp4" || !bytes.Contains(a.body[:16], []byte("ftyp")) {
		t.Errorf("%s: %.16q", a.header.Get("Content-Type"), a.body)
	}
	if a := h.owner.send("GET", made, nil, "Range", "bytes=0-99"); a.status != http.StatusPartialContent || len(a.body) != 100 {
		t.Errorf("%d: %d bytes", a.status, len(a.body))
	}
	gus.get(made).problem(404, "not_found")
	h.owner.put("/v1/me/pronunciation", sine(6*time.Second)).problem(422, "too_long")
	h.owner.put("/v1/me/pronunciation", append(wavHeader(32000, 8000), make([]byte, 32000)...)).problem(422, "damaged_recording")
	h.owner.put("/v1/me/pronunciation", sine(100*time.Millisecond)).problem(422, "damaged_recording")
	h.owner.put("/v1/me/pronunciation", pngOf(t, 10)).problem(415, "not_audio")
	h.owner.put("/v1/me/pronunciation", nil).problem(400, "empty_recording")
	h.owner.put("/v1/me/pronunciation", make([]byte, 3<<20)).problem(413, "too_large")
	h.owner.get(made).want(200)
	h.owner.send("DELETE", "/v1/me/pronunciation", nil).want(204)
	h.owner.get(made).problem(404, "not_found")
	h.purge()
	if keys := h.objectsOf(h.owner); len(keys) != 0 {
		t.Errorf("%q", keys)
	}
	none := newHarness(t, options{deps: func(d *Deps) { d.Sounds = nil }})
	none.owner.put("/v1/me/pronunciation", sine(time.Second)).problem(503, "unavailable")
	away := newHarness(t, options{deps: func(d *Deps) {
		d.Sounds = short.New(short.Config{Limits: d.Sounds.Limits(), Render: render.Config{FFmpeg: "/nowhere/ffmpeg"}})
	}})
	away.owner.put("/v1/me/pronunciation", sine(time.Second)).problem(503, "unavailable")
}

func TestPersonalSettings(t *testing.T) {
	h := newHarness(t)
	me := decode[people.Me](h.owner.json("PATCH", "/v1/me", map[string]any{
		"language": "de", "time_zone": "Europe/Berlin", "quiet_hours": map[string]any{"from": "22:00", "to": "07:00", "days": []string{"mon"}},
	}).want(200))
	if me.Name != "Olga" || me.Language != "de" || me.TimeZone != "Europe/Berlin" || me.QuietHours == nil || me.QuietHours.To != "07:00" {
		t.Errorf("%+v", me)
	}
	if again := decode[people.Me](h.owner.json("PATCH", "/v1/me", map[string]any{"language": ""}).want(200)); again.Language != "" || again.QuietHours == nil {
		t.Errorf("%+v", again)
	}
	if again := decode[people.Me](h.owner.json("PATCH", "/v1/me", map[string]any{"quiet_hours": nil}).want(200)); again.QuietHours != nil || again.TimeZone == "" {
		t.Errorf("%+v", again)
	}
	for what, wrong := range map[string]string{
		"language": `{"language":"tlh"}`, "zone": `{"time_zone":"Mars/Olympus"}`, "the server's own zone": `{"time_zone":"Local"}`, "a path": `{"time_zone":"../../etc/passwd"}`,
		"no end": `{"quiet_hours":{"from":"22:00"}}`, "times": `{"quiet_hours":{"from":"25:00","to":"26:00"}}`, "no time": `{"quiet_hours":{"from":"22:00","to":"22:00"}}`,
		"days": `{"quiet_hours":{"from":"22:00","to":"07:00","days":["someday"]}}`, "more": `{"quiet_hours":{"from":"22:00","to":"07:00","role":"owner"}}`, "another case": `{"quiet_hours":{"FROM":"22:00","to":"07:00"}}`,
		"twice": `{"quiet_hours":{"from":"22:00","from":"23:00","to":"07:00"}}`, "text": `{"quiet_hours":"always"}`, "role": `{"role":"owner"}`, "picture": `{"picture":"/x"}`,
	} {
		if a := h.owner.send("PATCH", "/v1/me", strings.NewReader(wrong), "Content-Type", "application/json"); a.status != 422 && a.status != 400 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
}
