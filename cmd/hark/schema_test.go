package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hark/storage/storagetest"
)

// TestNewerSchemaIsRefused goes back to an older hark after an upgrade: each
// command says which version it found and which it knows.
func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"sqlite": storagetest.SQLite(t), "postgres": storagetest.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			_, newest := storagetest.NewerSchema(t, url, 1)
			for _, command := range []string{"serve", "migrate", "user list", "token list"} {
				cmd := exec.CommandContext(within(t, time.Minute), harkBinary, strings.Fields(command)...)
				cmd.Env = append(os.Environ(), "HARK_DATA="+t.TempDir(), "HARK_DATABASE_URL="+url, "HARK_ADDR=127.0.0.1:0", "HARK_MODELS=")
				out, err := cmd.CombinedOutput()
				if err == nil || !strings.Contains(string(out), fmt.Sprintf("schema is version %d, and this hark knows versions up to %d", newest+1, newest)) {
					t.Errorf("hark %s: %v\n%s", command, err, out)
				}
			}
		})
	}
}
