package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"hark/transcribe/models"
)

// modelsConfig says where models are.
type modelsConfig struct {
	Data   string `env:"HARK_DATA" default:"./data" placeholder:"DIR" help:"Folder in which Hark keeps everything."`
	Models string `env:"HARK_MODELS" placeholder:"DIR" help:"Folder of speech models; 'models' in the data folder when empty."`
}

func (m *modelsConfig) dir() (string, error) {
	data, err := filepath.Abs(m.Data)
	return orBelow(m.Models, data, "models"), err
}

// shared reports whether a folder of models is outside of the data folder.
func (m *modelsConfig) shared(dir string) bool {
	data, err := filepath.Abs(m.Data)
	return err == nil && dir != data && !strings.HasPrefix(dir, data+string(filepath.Separator))
}

type modelsCmd struct {
	List  modelsListCmd  `cmd:"" help:"List the models that Hark knows, and which are here."`
	Fetch modelsFetchCmd `cmd:"" help:"Fetch models and verify them."`
}

type modelsListCmd struct {
	modelsConfig
}

// Run prints a line a model.
func (m *modelsListCmd) Run() error {
	dir, err := m.dir()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, model := range models.Catalogue() {
		state, err := models.Verify(dir, model.ID)
		how := string(state)
		if state == models.Absent {
			how = "fetch it"
			if !model.Downloadable() {
				how = "fetch it --from a folder, archive or address"
			}
		} else if err != nil {
			how = err.Error()
		}
		fmt.Fprintf(w, "%s\t%d MB\t%s\t%s\t%s\n", model.ID, model.Bytes/1e6, strings.Join(model.Languages, " "), model.Licence, how)
	}
	return w.Flush()
}

type modelsFetchCmd struct {
	modelsConfig
	From string   `placeholder:"DIR|FILE|URL" help:"Where to take one model from that is not downloaded by itself."`
	IDs  []string `arg:"" optional:"" name:"id" help:"Models; when left out, those that Hark needs by default."`
}

// Run fetches what is not there yet. Models are no secrets: in a folder outside
// of the data folder, others can use them if the caller's umask lets them.
func (m *modelsFetchCmd) Run(ctx context.Context, umask callersUmask) error {
	dir, err := m.dir()
	if err != nil {
		return err
	}
	if m.shared(dir) {
		syscall.Umask(int(umask))
	}
	if len(m.IDs) == 0 {
		m.IDs = []string{models.Detector, models.Default}
	}
	if m.From != "" && len(m.IDs) != 1 {
		return fmt.Errorf("--from names where one model comes from, but there are %d", len(m.IDs))
	}
	for _, id := range m.IDs {
		bar := newBar(os.Stderr, id, 0)
		_, err := models.Fetch(ctx, dir, id, models.Options{From: m.From, Progress: func(done, total int64) {
			bar.total = total
			bar.set(done)
		}})
		bar.finish()
		if err != nil {
			return err
		}
	}
	return nil
}
