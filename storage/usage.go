package storage

// Usage is what a person and their workspace take of what is bounded.
type Usage struct {
	Today   int64 // bytes of sound that the person sent since midnight UTC, deleted since or not
	Stored  int64 // bytes of sound that the workspace stores, renditions included
	Waiting int   // messages of the person that wait for a worker
}
