package storage

import "strings"

// RecoveryCodes is how many recovery codes are made at once.
const RecoveryCodes = 10

// RecoveryCodeLength is how many characters a recovery code has, beside dashes. Each
// is one of 32: 100 random bits, which nobody guesses, here or with the hashes at hand.
const RecoveryCodeLength = 20

// RecoveryAlphabet has the characters of recovery codes: Crockford's base32, in small
// letters. None looks like another.
const RecoveryAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

var recoveryReader = strings.NewReplacer("-", "", " ", "", "o", "0", "i", "1", "l", "1")

// ReadRecoveryCode takes a recovery code as somebody wrote it: in any case, with or
// without dashes and spaces, and with o for 0, or i or l for 1. It reports false for
// what cannot be one.
func ReadRecoveryCode(written string) (code string, ok bool) {
	code = recoveryReader.Replace(strings.ToLower(strings.TrimSpace(written)))
	return code, len(code) == RecoveryCodeLength && strings.Trim(code, RecoveryAlphabet) == ""
}

// PrintRecoveryCode writes a recovery code as it is shown: in groups of five.
func PrintRecoveryCode(code string) string {
	var groups []string
	for from := 0; from < len(code); from += 5 {
		groups = append(groups, code[from:min(from+5, len(code))])
	}
	return strings.Join(groups, "-")
}
