package storage

// Binding is how a database and an object store know each other: by the ids
// that both keep of both. An empty id means that it is not set.
type Binding struct {
	Database string
	Store    string
}
