package keys_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hark/storage/keys"
)

func open(t *testing.T, path string) *keys.File {
	t.Helper()
	f, err := keys.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func secret(t *testing.T, f interface {
	Secret(string) ([]byte, error)
}, name string,
) []byte {
	t.Helper()
	key, err := f.Secret(name)
	if err != nil || len(key) != 32 {
		t.Fatalf("key %s: %x, %v", name, key, err)
	}
	return key
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	f := open(t, path)
	one, two := secret(t, f, "one"), secret(t, f, "two")
	if !f.Made() || bytes.Equal(one, two) || !bytes.Equal(one, secret(t, f, "one")) {
		t.Errorf("made %v; keys %x, %x", f.Made(), one, two)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	kept := strings.Repeat("0f", 32)
	if err := f.Keep(map[string]string{"one": kept, "three": kept}); err != nil {
		t.Fatal(err)
	}
	again := open(t, path)
	if again.Made() || !bytes.Equal(one, secret(t, again, "one")) || secret(t, again, "three")[0] != 0x0f {
		t.Error("another start has other keys")
	}
	if err := again.Forget(); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(one, secret(t, open(t, path), "one")) {
		t.Error("a key that was forgotten is there again")
	}
}

func TestFileThatIsDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	for _, text := range []string{"", "null", "[]", `{"one":"0f"}`, `{"one":"` + strings.Repeat("z", 64) + `"}`, `{"one":`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDerived(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	read := func(text string) (keys.Derived, error) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return keys.ReadSecret(path)
	}
	if _, err := read(strings.Repeat("x", 31) + "\n"); err == nil {
		t.Error("a short secret is taken")
	}
	a, err := read(strings.Repeat("x", 32))
	if err != nil {
		t.Fatal(err)
	}
	b, err := read(strings.Repeat("x", 32) + "\n")
	if err != nil {
		t.Fatal(err)
	}
	c, err := read(strings.Repeat("y", 32))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(secret(t, a, "one"), secret(t, b, "one")) {
		t.Error("the same secret makes other keys")
	}
	if bytes.Equal(secret(t, a, "one"), secret(t, a, "two")) || bytes.Equal(secret(t, a, "one"), secret(t, c, "one")) {
		t.Error("another name or secret makes the same key")
	}
}
