package models

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// recordName is the file beside a model's files that says what they are.
const recordName = "model.json"

// record says what was fetched, and from where.
type record struct {
	ID     string         `json:"id"`
	Source []string       `json:"source"` // packages with their hash, or the place that was named
	Files  []recordedFile `json:"files"`
}

type recordedFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hex
}

// Installed is a model whose files are there.
type Installed struct {
	Model Model
	Dir   string

	record *record // nil when the files were put there by hand
}

// Path returns where the file with a role lies; empty when the model has none.
func (i Installed) Path(role string) string {
	for _, f := range i.Model.Files {
		if f.Role == role {
			return filepath.Join(i.Dir, f.Name)
		}
	}
	return ""
}

// Locate finds a model in the models folder and checks that its files are
// there in their recorded size. It does not read them: see [Verify]. Errors
// wrap [ErrUnknown], [ErrMissing] or [ErrDamaged].
func Locate(dir, id string) (Installed, error) {
	m, err := Find(id)
	if err != nil {
		return Installed{}, err
	}
	found := Installed{Model: m, Dir: filepath.Join(dir, id)}
	if _, err := os.Stat(found.Dir); errors.Is(err, fs.ErrNotExist) {
		return Installed{}, fmt.Errorf("%w: %s is not in %s: run 'hark models fetch %s'", ErrMissing, id, dir, id)
	}
	if found.record, err = readRecord(found.Dir); err != nil {
		return Installed{}, err
	}
	for _, f := range m.Files {
		info, err := os.Stat(filepath.Join(found.Dir, f.Name))
		if err != nil {
			return Installed{}, fmt.Errorf("%w: %s: %w: run 'hark models fetch %s'", ErrDamaged, id, err, id)
		}
		if want, ok := found.record.file(f.Name); ok && want.Bytes != info.Size() {
			return Installed{}, fmt.Errorf("%w: %s: %s has %d bytes, want %d: run 'hark models fetch %s'",
				ErrDamaged, id, f.Name, info.Size(), want.Bytes, id)
		}
	}
	return found, nil
}

// State is how a model stands in a models folder.
type State string

// The states of a model.
const (
	Absent     State = "absent"     // not there
	Verified   State = "verified"   // its files have the hashes that were recorded when it was fetched
	Unrecorded State = "unrecorded" // its files are there, put by hand: nothing to compare with
	Damaged    State = "damaged"    // a file is missing or differs
)

// Verify reads a model's files and compares them with their record. The
// error says what is wrong when the state is Absent or Damaged.
func Verify(dir, id string) (State, error) {
	found, err := Locate(dir, id)
	switch {
	case errors.Is(err, ErrDamaged):
		return Damaged, err
	case err != nil:
		return Absent, err
	case found.record == nil:
		return Unrecorded, nil
	}
	for _, f := range found.Model.Files {
		want, ok := found.record.file(f.Name)
		if !ok {
			return Damaged, fmt.Errorf("%w: %s: %s is not in its record", ErrDamaged, id, f.Name)
		}
		got, err := hashFile(filepath.Join(found.Dir, f.Name))
		if err != nil {
			return Damaged, fmt.Errorf("%w: %s: %w", ErrDamaged, id, err)
		}
		if got.SHA256 != want.SHA256 {
			return Damaged, fmt.Errorf("%w: %s: %s has SHA-256 %s, want %s: run 'hark models fetch %s'",
				ErrDamaged, id, f.Name, got.SHA256, want.SHA256, id)
		}
	}
	return Verified, nil
}

func (r *record) file(name string) (recordedFile, bool) {
	if r == nil {
		return recordedFile{}, false
	}
	for _, f := range r.Files {
		if f.Name == name {
			return f, true
		}
	}
	return recordedFile{}, false
}

// readRecord returns nil when there is none.
func readRecord(dir string) (*record, error) {
	data, err := os.ReadFile(filepath.Join(dir, recordName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // a model that was put there by hand has no record, which is no failure
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, filepath.Join(dir, recordName), err)
	}
	return &r, nil
}

func hashFile(path string) (recordedFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return recordedFile{}, err
	}
	defer f.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, f)
	if err != nil {
		return recordedFile{}, fmt.Errorf("read %s: %w", path, err)
	}
	return recordedFile{Name: filepath.Base(path), Bytes: n, SHA256: hex.EncodeToString(hash.Sum(nil))}, nil
}
