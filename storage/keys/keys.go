// Package keys keeps the secret keys of a Hark outside of its database, so
// that a copy of the database gives nobody the power to sign addresses.
//
// There are two ways. A [File] is for a Hark on one machine: it makes each key
// when it is first asked for, at random, and keeps it. [Derived] is for any
// number of nodes: each is given the same secret by its operator and derives
// all keys from it. Without either, nodes share their keys through the
// database (see package sqldb).
//
// Whoever loses the keys loses nothing else: what was signed or sealed with
// them (addresses of sound, places in lists, ids of events) is no longer
// valid, and everything that people are given after that is.
package keys

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"sync"

	"hark/storage/disk"
)

// size of a key, in bytes.
const size = 32

// File is a file of keys that only its owner can read: a JSON object of keys
// in hex by their names. It is safe for concurrent use in one process; a
// second process must not use it.
type File struct {
	path string

	mu   sync.Mutex
	keys map[string]string
	made bool
}

// Open reads the file. One that is missing is made by the first key.
func Open(path string) (*File, error) {
	f := &File{path: path, keys: map[string]string{}}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		f.made = true
		return f, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	if f.keys, err = parse(text); err != nil {
		return nil, fmt.Errorf("read keys: %s: %w; put it back from a backup, or remove it and have new keys made", path, err)
	}
	return f, nil
}

// parse reads what a [File] holds.
func parse(text []byte) (map[string]string, error) {
	var found map[string]string
	if err := json.Unmarshal(text, &found); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, errors.New("it holds no keys")
	}
	for name, key := range found {
		if b, err := hex.DecodeString(key); err != nil || len(b) != size {
			return nil, fmt.Errorf("key %q is not %d bytes in hex", name, size)
		}
	}
	return found, nil
}

// Made reports whether there was no file when it was opened.
func (f *File) Made() bool { return f.made }

// Secret returns the 32 bytes of a key, which it makes if need be. A key that
// is returned is on the disk.
func (f *File) Secret(name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if key, ok := f.keys[name]; ok {
		return hex.DecodeString(key)
	}
	fresh := make([]byte, size)
	_, _ = rand.Read(fresh) // never fails
	return fresh, f.add(map[string]string{name: hex.EncodeToString(fresh)})
}

// Keep adds keys in hex that come from elsewhere. Those that the file has
// already stay as they are.
func (f *File) Keep(others map[string]string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.add(others)
}

// Forget removes all keys, so that new ones are made.
func (f *File) Forget() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.write(map[string]string{})
}

func (f *File) add(others map[string]string) error {
	all := maps.Clone(others)
	maps.Copy(all, f.keys)
	if maps.Equal(all, f.keys) {
		return nil
	}
	return f.write(all)
}

func (f *File) write(all map[string]string) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err == nil {
		err = disk.WriteFile(f.path, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	f.keys = all
	return nil
}

// Derived makes keys of one secret: nodes with the same secret have the same
// keys.
type Derived struct{ secret []byte }

// Random makes keys of a secret that nobody else has: what they seal is opened in this
// process alone, as the places in lists that a command reads to their end.
func Random() Derived { return Derived{[]byte(rand.Text() + rand.Text())} }

// ReadSecret reads the secret that a file holds: 32 bytes or more, of any
// kind. White space around it does not count.
func ReadSecret(path string) (Derived, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Derived{}, err
	}
	secret := bytes.TrimSpace(text)
	if len(secret) < size {
		return Derived{}, fmt.Errorf("%s holds %d bytes; a secret needs %d or more, as 'openssl rand -hex 32' makes them", path, len(secret), size)
	}
	return Derived{secret}, nil
}

// Secret returns the 32 bytes of a key. It never fails.
func (d Derived) Secret(name string) ([]byte, error) {
	h := hmac.New(sha256.New, d.secret)
	h.Write([]byte("hark key " + name))
	return h.Sum(nil), nil
}
