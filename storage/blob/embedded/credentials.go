package embedded

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hark/storage/disk"
)

// serverKeys let a client into the embedded server.
type serverKeys struct {
	Access string `json:"access_key"`
	Secret string `json:"secret_key"`
}

// loadCredentials reads the credentials kept in dir, or makes them at the
// first start. Only the owner of the folder can read them.
func loadCredentials(dir string) (serverKeys, error) {
	path := filepath.Join(dir, "credentials.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		keys := serverKeys{Access: rand.Text(), Secret: rand.Text() + rand.Text()}
		if err := writeCredentials(path, keys); err != nil {
			return serverKeys{}, fmt.Errorf("write credentials: %w", err)
		}
		return keys, nil
	}
	if err != nil {
		return serverKeys{}, fmt.Errorf("read credentials: %w", err)
	}
	var keys serverKeys
	if err := json.Unmarshal(text, &keys); err != nil {
		return serverKeys{}, fmt.Errorf("read credentials from %s: %w", path, err)
	}
	if keys.Access == "" || keys.Secret == "" {
		return serverKeys{}, fmt.Errorf("read credentials from %s: access_key or secret_key is missing", path)
	}
	return keys, nil
}

func writeCredentials(path string, keys serverKeys) error {
	text, err := json.MarshalIndent(keys, "", "  ")
	if err != nil {
		return err
	}
	return disk.WriteFile(path, append(text, '\n'))
}
