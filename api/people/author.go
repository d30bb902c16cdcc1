package people

import "hark/storage"

// Author is a person, or an integration, as what they did shows them.
type Author struct {
	ID    string           `json:"id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	Name  string           `json:"name" example:"Ada"`
	Color int              `json:"color" minimum:"0" maximum:"11" doc:"See User" example:"0"`
	Kind  storage.UserKind `json:"kind,omitempty" enum:"integration" doc:"integration: a program; left out of a person. More may be added" example:"integration"`
}

// NewAuthor is the user of an id and a name who joined a workspace as its no-th.
func NewAuthor(id, name string, no int64, kind storage.UserKind) Author {
	a := Author{ID: id, Name: name, Color: Color(no)}
	if kind == storage.KindIntegration {
		a.Kind = kind
	}
	return a
}

// colors is how many colours people have. Which one somebody has does
// not reveal how many people there are.
const colors = 12

// Color is the colour of the person who joined a workspace as its no-th, from 1.
func Color(no int64) int { return int((no - 1) % colors) }
