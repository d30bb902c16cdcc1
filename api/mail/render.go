package mail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"
	"time"
)

//go:embed templates
var files embed.FS

// words are the templates of one language: of each mail its subject, its lead (with
// an empty line between paragraphs), its button and its note, as plain text.
type words struct {
	language string
	set      *texttemplate.Template
}

var (
	english = newWords("en", "2 January 2006, 15:04 UTC", nil)
	german  = newWords("de", "2. January 2006, 15:04 UTC", strings.NewReplacer(
		"January", "Januar", "February", "Februar", "March", "März", "May", "Mai", "June", "Juni", "July", "Juli", "October", "Oktober", "December", "Dezember"))

	textLayout = texttemplate.Must(texttemplate.ParseFS(files, "templates/layout.txt"))
	htmlLayout = htmltemplate.Must(htmltemplate.ParseFS(files, "templates/layout.html"))
)

func newWords(language, layout string, months *strings.Replacer) words {
	date := func(t time.Time) string {
		text := t.UTC().Format(layout)
		if months != nil {
			text = months.Replace(text)
		}
		return text
	}
	set := texttemplate.New(language).Option("missingkey=error").Funcs(texttemplate.FuncMap{"date": date, "name": oneLine})
	return words{language, texttemplate.Must(set.ParseFS(files, "templates/words."+language+".txt"))}
}

// wordsIn are the words of a language, or English.
func wordsIn(language string) words {
	base, _, _ := strings.Cut(strings.ToLower(language), "-")
	if base == german.language {
		return german
	}
	return english
}

// rendered is a mail in words.
type rendered struct {
	Language string
	Subject  string
	Lead     []string // paragraphs
	Button   string   // what the link is called; empty where there is none
	Link     string
	Note     string // beneath the link
	Footer   string

	text, html string
}

// render puts a content into words.
func render(language string, c Content) (rendered, error) {
	w := wordsIn(language)
	r := rendered{Language: w.language, Link: c.link()}
	var lead string
	for part, to := range map[string]*string{"subject": &r.Subject, "lead": &lead, "button": &r.Button, "note": &r.Note} {
		if err := w.say(c.template()+"."+part, c, to); err != nil {
			return r, err
		}
	}
	if err := w.say("footer", nil, &r.Footer); err != nil {
		return r, err
	}
	for p := range strings.SplitSeq(lead, "\n\n") {
		r.Lead = append(r.Lead, strings.TrimSpace(p))
	}
	var text, html bytes.Buffer
	if err := textLayout.Execute(&text, r); err != nil {
		return r, fmt.Errorf("render text: %w", err)
	}
	if err := htmlLayout.Execute(&html, r); err != nil {
		return r, fmt.Errorf("render HTML: %w", err)
	}
	r.text, r.html = text.String(), html.String()
	return r, nil
}

// say runs one template.
func (w words) say(name string, data any, to *string) error {
	var b strings.Builder
	if err := w.set.ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("words of a mail in %s: %w", w.language, err)
	}
	*to = strings.TrimSpace(b.String())
	return nil
}
