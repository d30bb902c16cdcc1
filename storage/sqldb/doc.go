// Package sqldb keeps Hark's records in SQLite or Postgres and searches what
// was said.
//
// A method is one question or one change, and runs as one transaction. What a
// person asks comes with a [storage.Principal] and is scoped by it in the query
// itself, which joins what they may see (visible): a conversation that the
// principal is not in, or another workspace's, is [storage.ErrNotFound], exactly
// as one that does not exist. What they may do to it is asked of package storage,
// in the transaction that does it. What workers do is
// scoped by the job and guarded by the attempt that they hold.
//
// # One order a workspace
//
// Every change of a workspace first locks the workspace's row and appends its
// events last, numbered from a counter in that row. So events are numbered in
// the order of commit and a listener can resume after any of them; and two
// changes of one workspace cannot deadlock. The price is that writes of one
// workspace go one after the other: a few hundred a second on a disk that syncs.
//
// # Rooms
//
// Package conn has the connections, transactions, the schema and the clock of
// the database, and what differs between SQLite and Postgres; package search the
// index of what was said, on top of conn; codec the blobs of transcripts and
// waveforms; cursor the sealed places of lists. What is left here are the records
// and who may see them: all of it are methods of one DB, whose changes touch
// messages, jobs, events and the index in one transaction, so a further cut would
// run through transactions. A change reads the database's clock once it holds the
// workspace, and has it as tx.now. On SQLite, [DB.EraseDeleted] takes what was
// deleted out of the search index and the log.
//
// # Leases
//
// What one node does for all it does under a lease of the table leases, which
// package work takes and renews.
//
// # Jobs and the queue
//
// Jobs are of a kind and about a subject, and of both together there is one job
// (see [storage.NewJob]). Any change may add one, as it adds events; beginning,
// renewing, finishing and failing it are the same for all kinds. A job of the kind
// transcribe moves its message on its way in the same transaction; it alone has a
// message_id, goes with the message, and is all that an older version reads.
//
// A job that waits is announced once it is committed ([Config].OnJobs), by whatever
// change made it wait; nobody else has jobs put in the queue. What is lost on
// the way there, or there, [DB.DueJobs] finds.
//
// # Turns
//
// Jobs of a kind and priority are begun in the order of their turns ([DB.NextJob]), which
// go around by author: who sends a thousand messages delays another's by one,
// not by a thousand. The turn is given when a job comes to wait, from two
// indexes, so that neither costs more the more there is to do.
//
// # Recordings
//
// A message that is being spoken has a row in recordings, which says which node
// keeps its sound, and no job. Begin, finish and drop are changes of the
// workspace; renewing the lease of all that a node has is one statement, without
// the workspaces' locks. Whoever finishes or drops takes the row away first,
// under the node's name, so that between several nodes one does it: the node's
// name guards a recording as the attempt guards a job. A recording whose
// transcript was made meanwhile becomes ready with it in one transaction. The
// job of a ready message only adds to it and never moves it, however it ends.
//
// # People
//
// Who joins by an invitation is made a user, put where it leads and signed in by one
// change, which holds the workspace: of two who take its last use, the second finds it
// used up. What may have been taken from somebody since they were let in, their role, is
// read again by the changes that give power to others. Who is deactivated, or may not
// invite any more, has their invitations revoked in the same change, so that a join
// looks at the invitation alone.
//
// # Deletion
//
// A message goes in one transaction. A conversation, however much was said in
// it, is marked: it has no members from then on, by which everything that
// people ask is scoped, and what works for Hark itself asks for deleted_at.
// [DB.PurgeDeleted] takes the rest in steps of 500, each of which leaves the
// database in order, and the conversation last. What is purged has its
// objects queued for deletion in the same transaction.
//
// # Search
//
// A search resolves what the principal may look through, has package search find
// and rank, and loads, highlights and times only the page that was asked for.
//
// Limits: titles are not searched, since a hit is a moment at which something
// was said. A member of more than 16 conversations who finds little in a
// workspace where the words are common makes the search pass over what others
// said; it is bounded by the query timeout.
package sqldb
