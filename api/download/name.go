// Package download names what is saved of a message: the file name, and the
// header that says it (RFC 6266).
package download

import (
	"path"
	"regexp"
	"strings"

	"hark/storage"
)

// extensionForm is what an extension looks like; what else stands behind a dot
// is part of the name, as in "Dr. Holm".
var extensionForm = regexp.MustCompile(`^\.[A-Za-z0-9]{1,5}$`)

// Name is the name to save something of a message by: the stem of what
// the sender called it, or else its name, and the extension of what it is. A
// recording that was sent as bridge.html is not saved as a page.
func Name(m storage.Message, extension string) string {
	stem := m.Original.Filename
	if given := path.Ext(stem); extensionForm.MatchString(given) {
		stem = strings.TrimSuffix(stem, given)
	}
	if stem = trimName(stem); stem == "" {
		stem = trimName(strings.NewReplacer("/", "-", `\`, "-").Replace(m.Name()))
	}
	if stem == "" {
		stem = "message-" + m.ID
	}
	return storage.CleanFilename(stem + extension)
}

// trimName takes away what would hide a file or be dropped from its name.
func trimName(name string) string { return strings.Trim(storage.CleanFilename(name), ". ") }
