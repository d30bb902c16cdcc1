// Serve runs the provider of package openidtest for the browser tests: it prints its
// issuer, and ends with its standard input.
package main

import (
	"fmt"
	"io"
	"os"

	"hark/api/openid/openidtest"
)

func main() {
	hark := "http://localhost:*"
	p, err := openidtest.Start(
		openidtest.Client{ID: "hark", Secret: "secret of the browser tests", Redirects: []string{hark + "/sign-in/callback/*"}, Leaving: []string{hark + "/sign-in"}},
		openidtest.Person{ID: "ada-1", Username: "ada", Name: "Ada Lovelace", Email: "ada@example.org", Verified: true},
		openidtest.Person{ID: "mia-2", Username: "mia", Name: "Mia Berg", Email: "mia@example.org", Verified: true},
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(p.Issuer)
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = p.Close()
}
