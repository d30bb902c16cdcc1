package download

import (
	"fmt"
	"strings"
)

// Disposition names a file for a download (RFC 6266), in ASCII for all
// and in UTF-8 (RFC 8187) for those who know it. name may hold anything.
func Disposition(kind, name string) string {
	if name == "" {
		return kind
	}
	plain := asciiName(name)
	header := kind + `; filename="` + plain + `"`
	if plain != name {
		header += "; filename*=UTF-8''" + extValue(name)
	}
	return header
}

// asciiName puts an underscore for what not every client reads alike: what is
// not ASCII, quotes, backslashes, percent signs, and what parts a path.
func asciiName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || strings.ContainsRune(`"\%/:;*?<>|`, r) {
			return '_'
		}
		return r
	}, name)
}

// attrChars may stand unencoded in an ext-value (RFC 8187, section 3.2.1).
const attrChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~"

func extValue(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(attrChars, s[i]) >= 0 {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}
