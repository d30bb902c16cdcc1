package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"hark/cmd/hark/config"
	"hark/cmd/hark/terminal"
	"hark/transcribe/models"
)

// modelsConfig says where models are.
type modelsConfig struct {
	Data   string `env:"HARK_DATA" default:"./data" placeholder:"DIR" help:"Folder in which Hark keeps everything."`
	Models string `env:"HARK_MODELS" placeholder:"DIR" help:"Folder of speech models; 'models' in the data folder when empty."`
}

func (m *modelsConfig) dir() (string, error) {
	data, err := filepath.Abs(m.Data)
	return config.OrBelow(m.Models, data, "models"), err
}

// shared reports whether a folder of models is outside of the data folder.
func (m *modelsConfig) shared(dir string) bool {
	data, err := filepath.Abs(m.Data)
	return err == nil && dir != data && !strings.HasPrefix(dir, data+string(filepath.Separator))
}

type modelsCmd struct {
	List  modelsListCmd  `cmd:"" help:"List known models and which are downloaded."`
	Fetch modelsFetchCmd `cmd:"" help:"Download and verify models."`
}

type modelsListCmd struct {
	modelsConfig
	JSON bool `name:"json" help:"Print a JSON array of models."`
}

// modelView is a model as --json prints it.
type modelView struct {
	ID           string   `json:"id"`
	Kind         string   `json:"kind"`
	Description  string   `json:"description"`
	Bytes        int64    `json:"bytes"` // on disk, about
	Languages    []string `json:"languages"`
	Licence      string   `json:"licence"`
	State        string   `json:"state"`
	Problem      string   `json:"problem,omitempty"` // why the state is not a good one
	Downloadable bool     `json:"downloadable"`
}

// Run prints a line a model.
func (m *modelsListCmd) Run() error {
	dir, err := m.dir()
	if err != nil {
		return err
	}
	views := make([]modelView, 0, len(models.Catalogue()))
	var t terminal.Table
	for _, model := range models.Catalogue() {
		state, err := models.Verify(dir, model.ID)
		view := modelView{
			ID: model.ID, Kind: string(model.Kind), Description: model.Description, Bytes: model.Bytes,
			Languages: append([]string{}, model.Languages...), Licence: model.Licence, State: string(state), Downloadable: model.Downloadable(),
		}
		how := view.State
		switch {
		case state == models.Absent && view.Downloadable:
			how = "fetch it"
		case state == models.Absent:
			how = "fetch it --from a folder, archive or address"
		case err != nil:
			how, view.Problem = err.Error(), err.Error()
		}
		views = append(views, view)
		t.Add(model.ID, fmt.Sprintf("%d MB", model.Bytes/1e6), strings.Join(model.Languages, " "), model.Licence, how)
	}
	if m.JSON {
		return printJSON(views)
	}
	return t.Print(os.Stdout)
}

type modelsFetchCmd struct {
	modelsConfig
	From   string   `placeholder:"DIR|FILE|URL" help:"Where to take one model from that is not downloaded by itself."`
	SHA256 string   `name:"sha256" placeholder:"HEX" help:"What the archive must sum to; needed with --from http://…"`
	IDs    []string `arg:"" optional:"" name:"id" help:"Models; when left out, those that Hark needs by default."`
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
		return usageError(fmt.Sprintf("--from names where one model comes from, but there are %d", len(m.IDs)))
	}
	if m.SHA256 != "" && m.From == "" {
		return errors.New("--sha256 is of the archive that --from names, and there is none")
	}
	for _, id := range m.IDs {
		bar := terminal.NewBar(os.Stderr, id, 0)
		_, err := models.Fetch(ctx, dir, id, models.Options{From: m.From, SHA256: m.SHA256, Progress: func(done, total int64) {
			bar.SetOf(done, total)
		}})
		bar.Finish()
		if err != nil {
			return err
		}
	}
	return nil
}
