package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hark/storage/provision"
)

// provisioning times what an identity provider asks for.
func (b *peopleBench) provisioning(ctx context.Context) error {
	fmt.Fprintln(b.out, "SCIM\tp50\tp99\t")
	last := fmt.Sprintf("member%d@example.org", b.Members-2)
	for _, one := range []struct{ name, query string }{
		{"users, first 200", "count=200"},
		{"users, last 200", fmt.Sprintf("count=200&startIndex=%d", max(1, b.Members-200))},
		{"users, sorted by userName", "count=200&sortBy=userName"},
		{"userName eq", "filter=" + url.QueryEscape(`userName eq "`+last+`"`)},
		{"externalId eq, nobody", "filter=" + url.QueryEscape(`externalId eq "nobody"`)},
		{"emails.value eq", "filter=" + url.QueryEscape(`emails.value eq "`+last+`"`)},
		{"userName co, and active", "count=200&filter=" + url.QueryEscape(`userName co "99@" and active eq true`)},
		{"displayName sw or co", "count=200&filter=" + url.QueryEscape(`displayName sw "member" or name.familyName co "x"`)},
	} {
		err := b.time(one.name, b.Requests, func(int) error { return b.scim(ctx, http.MethodGet, "/Users?"+one.query, "", nil) })
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	const patch = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"%s","value":%s}]}`
	err := b.time("PATCH of a user", min(b.Requests, len(b.ids)), func(i int) error {
		return b.scim(ctx, http.MethodPatch, "/Users/"+b.ids[i], fmt.Sprintf(patch, "externalId", fmt.Sprintf("%q", b.ids[i])), nil)
	})
	if err != nil {
		return err
	}
	var members []string
	for _, id := range b.ids[:min(len(b.ids), provision.MaxMembers)] {
		members = append(members, `{"value":"`+id+`"}`)
	}
	var group struct{ ID string }
	began := time.Now()
	err = b.scim(ctx, http.MethodPost, "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"All","members":[`+strings.Join(members, ",")+`]}`, &group)
	if err != nil {
		return err
	}
	made := time.Since(began)
	err = b.time(fmt.Sprintf("PATCH of a group of %d", len(members)), min(b.Requests, 50), func(i int) error {
		op := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"%s","path":"members","value":[%s]}]}`, []string{"remove", "add"}[i%2], members[0])
		return b.scim(ctx, http.MethodPatch, "/Groups/"+group.ID, op, nil)
	})
	if err != nil {
		return err
	}
	if err := b.out.Flush(); err != nil {
		return err
	}
	fmt.Printf("a group of %d made in %.2f s\n", len(members), made.Seconds())
	return nil
}

// scim asks for something as a provider does, and reads the answer into out, if not nil.
func (b *peopleBench) scim(ctx context.Context, method, path, body string, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(b.client.Base, "/v1")+"/scim/v2"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+b.token)
	req.Header.Set("Content-Type", "application/scim+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s: %s", resp.Status, answer)
	case out == nil:
		return nil
	}
	return json.Unmarshal(answer, out)
}
