package config

import (
	"context"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// settingPrefix begins the names of all settings in the environment.
const settingPrefix = "HARK_"

// orchestrated are variables that Kubernetes and Docker links set by
// themselves for a service that is named hark.
var orchestrated = regexp.MustCompile(`^HARK(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP)(_[A-Z]+)?)?)$`)

// UnknownSetting is a variable that looks like a setting and is none.
type UnknownSetting struct{ Name, Nearest string }

// UnknownSettings finds the variables of an environment that begin as settings
// do and that no command reads, in order of their names.
func UnknownSettings(model *kong.Node, environ []string) []UnknownSetting {
	known := map[string]bool{}
	AddSettings(model, known)
	names := slices.Sorted(maps.Keys(known))
	var unknown []UnknownSetting
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, settingPrefix) || known[name] || orchestrated.MatchString(name) {
			continue
		}
		nearest := slices.MinFunc(names, func(a, b string) int { return editDistance(name, a) - editDistance(name, b) })
		unknown = append(unknown, UnknownSetting{name, nearest})
	}
	slices.SortFunc(unknown, func(a, b UnknownSetting) int { return strings.Compare(a.Name, b.Name) })
	return unknown
}

// AddSettings adds the variables that a command and those below it read.
func AddSettings(node *kong.Node, known map[string]bool) {
	for _, f := range node.Flags {
		for _, name := range f.Envs {
			known[name] = true
			if HasFile(f) {
				known[name+"_FILE"] = true
			}
		}
	}
	for _, child := range node.Children {
		AddSettings(child, known)
	}
}

// WarnUnknown tells of variables that are probably mistyped. Their values may
// be secrets and are not told.
func WarnUnknown(ctx context.Context, model *kong.Node, environ []string, log *slog.Logger) {
	for _, u := range UnknownSettings(model, environ) {
		log.WarnContext(ctx, "unknown setting in the environment, ignored", "name", u.Name, "nearest", u.Nearest)
	}
}

// editDistance is how many bytes must be put in, left out or changed to make b
// of a (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
