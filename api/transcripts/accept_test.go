package transcripts

import "testing"

func TestChooseForm(t *testing.T) {
	offered := []string{"application/json", "text/vtt", "text/plain"}
	for accept, want := range map[string]int{
		"":                                   0,
		"*/*":                                0,
		"text/vtt":                           1,
		"TEXT/VTT; charset=utf-8":            1,
		"text/*":                             1,
		"text/*, text/vtt;q=0":               2,
		"text/plain, text/vtt;q=0.9":         2,
		"text/html, */*;q=0.1":               0,
		"application/json;q=0.2, text/plain": 2,
		"image/png":                          -1,
		"*/*;q=0":                            -1,
		"application/json;q=2":               -1,
		"application/json;q=NaN":             -1,
		";;;, text/vtt":                      1,
	} {
		if got := chooseForm(accept, offered); got != want {
			t.Errorf("chooseForm(%q) = %d; want %d", accept, got, want)
		}
	}
}
