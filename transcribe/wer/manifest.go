package wer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ManifestName is the file that lists the clips of a folder.
const ManifestName = "manifest.jsonl"

// maxLine bounds one line of a manifest, in bytes: hours of words with times.
const maxLine = 16 << 20

// Clip is a recording with what is said in it.
type Clip struct {
	File   string      `json:"file"`            // name within the folder
	Text   string      `json:"text"`            // what is said; empty where nobody speaks
	Source string      `json:"source"`          // where it comes from, and its licence
	Words  []TimedWord `json:"words,omitempty"` // the words' times; empty when not known
}

// ReadManifest reads the clips of a folder from its manifest.jsonl: one JSON
// object a line. Each File of the result is checked to lie within the folder
// and joined with its path.
func ReadManifest(dir string) ([]Clip, error) {
	f, err := os.Open(filepath.Join(dir, ManifestName))
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	defer f.Close()
	clips, err := readLines(f, func(c *Clip) string { return c.File })
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	for i := range clips {
		clips[i].File = filepath.Join(dir, clips[i].File)
	}
	return clips, nil
}

// readLines reads one JSON object a line; name is the file that one is of,
// which must lie within the folder.
func readLines[T any](r io.Reader, name func(*T) string) ([]T, error) {
	var all []T
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if file := name(&v); !filepath.IsLocal(file) {
			return nil, fmt.Errorf("line %d: file %q is not in the folder", n, file)
		}
		all = append(all, v)
	}
	return all, lines.Err()
}
