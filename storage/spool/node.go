package spool

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"hark/storage/disk"
)

// nodeName reads the name that is kept in a file, or makes one.
func nodeName(path string) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		name := rand.Text()
		if err := disk.WriteFile(path, []byte(name+"\n")); err != nil {
			return "", fmt.Errorf("write node name: %w", err)
		}
		return name, nil
	}
	if err != nil {
		return "", fmt.Errorf("read node name: %w", err)
	}
	name := strings.TrimSpace(string(text))
	if name == "" {
		return "", fmt.Errorf("read node name: %s is empty", path)
	}
	return name, nil
}
