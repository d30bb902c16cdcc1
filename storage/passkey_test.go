package storage_test

import (
	"testing"

	"hark/storage"
)

func TestReadRecoveryCode(t *testing.T) {
	for written, want := range map[string]string{
		"01234-56789-abcde-fghjk":     "0123456789abcdefghjk",
		" O1234 56789 ABCDE FGHJK\n":  "0123456789abcdefghjk",
		"oi234-56789-abcde-fghjk":     "0123456789abcdefghjk",
		"ol23456789abcdefghjk":        "0123456789abcdefghjk",
		"":                            "",
		"01234-56789-abcde-fghj":      "",
		"01234-56789-abcde-fghjkm":    "",
		"01234-56789-abcde-fghju":     "",
		"01234-56789-abcde-fgh\x00jk": "",
	} {
		got, ok := storage.ReadRecoveryCode(written)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q is read as %q, %t", written, got, ok)
		}
	}
	if got := storage.PrintRecoveryCode("0123456789abcdefghjk"); got != "01234-56789-abcde-fghjk" {
		t.Errorf("printed %q", got)
	}
}
