package password

import (
	"context"
	"errors"
	"strings"
	"testing"

	"hark/storage"
)

func TestHash(t *testing.T) {
	h, ctx := NewHasher(), t.Context()
	phc, err := h.Hash(ctx, "ﬁne weather at seven") // with a ligature, as some keyboards make it
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%q, %v", phc, err)
	}
	if again, err := h.Hash(ctx, "fine weather at seven"); err != nil || again == phc {
		t.Errorf("the same salt twice: %v", err)
	}
	for given, right := range map[string]bool{"fine weather at seven": true, "ﬁne weather at seven": true, "Fine weather at seven": false, "": false} {
		if got, err := h.Verify(ctx, given, phc); err != nil || got != right {
			t.Errorf("%q: %v, %v", given, got, err)
		}
	}
	if got, err := h.Verify(ctx, "", ""); err != nil || got {
		t.Errorf("no password is right: %v, %v", got, err)
	}
	// Of other parameters, by the reference implementation: argon2 somesalt -id -t 2 -m 16 -p 1.
	const kept = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if got, err := h.Verify(ctx, "password", kept); err != nil || !got {
		t.Errorf("a hash of other parameters: %v, %v", got, err)
	}
	for _, foreign := range []string{
		"x", "$2a$10$abc", strings.Replace(kept, "m=65536", "m=99999999", 1), strings.Replace(kept, "t=2", "t=0", 1), strings.Replace(kept, "v=19", "v=16", 1),
		strings.Replace(kept, "p=1", "p=0", 1), kept[:60], strings.Replace(kept, "argon2id", "argon2i", 1),
	} {
		if got, err := h.Verify(ctx, "password", foreign); err == nil || got {
			t.Errorf("%q is taken", foreign)
		}
	}
}

// So many are computed at once, so many wait, and nobody else.
func TestHashesAreBounded(t *testing.T) {
	h := NewHasher()
	for range atOnce {
		h.places <- struct{}{}
		h.queue <- struct{}{}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	ended := make(chan error)
	for range waiting {
		go func() {
			_, err := h.Hash(ctx, "some password")
			ended <- err
		}()
	}
	for len(h.queue) < cap(h.queue) { // until all wait
		select {
		case err := <-ended:
			t.Fatal(err)
		default:
		}
	}
	if _, err := h.Verify(t.Context(), "some password", ""); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	cancel(gone)
	for range waiting {
		if err := <-ended; !errors.Is(err, gone) {
			t.Error(err)
		}
	}
	for range atOnce {
		<-h.places
		<-h.queue
	}
	if _, err := h.Verify(t.Context(), "some password", ""); err != nil {
		t.Errorf("there is room again: %v", err)
	}
}

func TestCheck(t *testing.T) {
	own := []string{"ada.lovelace@example.org", "Ada Lovelace", "Harbour office"}
	for _, good := range []string{
		"harbour wall at seven", "correct horse battery staple", "zwölf Boxkämpfer", "パスワードは秘密の言葉です", strings.Repeat("x7 k", 31) + "!abc",
		"ada lovelace wrote the first", "8731 0946 2257",
	} {
		if err := Check(good, own...); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, why := range map[string]string{
		"":                                    "10 characters or more",
		"short one":                           "10 characters or more",
		"ééééé":                               "10 characters or more", // 10 bytes
		"e\u0301e\u0301e\u0301e\u0301e\u0301": "10 characters or more", // 10 code points before NFKC
		strings.Repeat("long and ", 15):       "128 characters or fewer",
		strings.Repeat("x", 4000):             "128 characters or fewer",
		"not utf-8 \xff\xfe":                  "128 characters or fewer",
		"1234567890":                          "many people",
		"Qwertyuiop":                          "many people",
		"ｑｗｅｒｔｙｕｉｏｐ":                          "many people", // full width
		"password2026!":                       "many people",
		"passwordpassword":                    "many people",
		"aaaaaaaaaaaa":                        "many people",
		"abcabcabcabc":                        "many people",
		"ADA.LOVELACE@example.org":            "your address",
		"ada.lovelace":                        "your address",
		"adalovelace":                         "your address",
		"Ada Lovelace 1815":                   "your address",
		"harbouroffice":                       "your address",
		"Harbour OfficeHarbour Office":        "your address",
	} {
		err := Check(bad, own...)
		var invalid *storage.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != "password" || !strings.Contains(invalid.Problem, why) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
	if n := len(common()); n < 5000 || len(commonList) > 100<<10 || common()["#"] {
		t.Errorf("the list has %d passwords in %d bytes", n, len(commonList))
	}
}

// Whatever is typed is taken or refused, and what is taken has a length within the bounds.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"harbour wall at seven", "", "\xff", "a\u0301", "ﷺﷺ", "password1"} {
		f.Add(seed, "Ada")
	}
	f.Fuzz(func(t *testing.T, given, own string) {
		n := len([]rune(Normal(given)))
		if err := Check(given, own); err == nil && (n < MinLength || n > MaxLength) {
			t.Errorf("%q is taken", given)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(hash("x", make([]byte, saltSize)))
	f.Add("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, phc string) {
		if p, _, sum, err := parse(phc); err == nil && (p.memory > maxMemory || p.passes > 16 || len(sum) > 64) {
			t.Errorf("%q is taken", phc)
		}
	})
}
