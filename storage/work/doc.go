// Package work decides which node does what, and does it.
//
// # Jobs
//
//	change of the database ── job ──> Publisher ──> queue ──> Worker ──> Runner ──> Handler
//
// A job is of a [storage.JobKind] and is added in the transaction that wants it done.
// A [Publisher] on each node puts in the queue what was committed there; nobody else
// does, but for the leader, which publishes what is due and was kept back.
//
// A [Worker] takes from the queue the jobs of the [Kind]s that it is given, each kind
// in places of its own, so that none waits for another. A kind that no node does
// waits in the database and the queue until one does. The queue wakes the worker at
// one job's place, and the worker takes the job of that kind and priority whose turn
// it is by the database, where turns are fair by author.
//
// A [Runner] makes one attempt: it begins the job, keeps its lease while the
// [Handler] works, ends the work when it takes longer than the kind may, and tells
// the database how it ended.
//
// # Failures
//
// An error of a handler is an attempt that failed. The job waits, by the kind's own
// schedule, and is tried again, until the kind's attempts are used up: then it
// fails for good. A [Failure] says otherwise. Attempts that were lost with their
// process count apart (see package sqldb), and those that were handed back not at all.
//
// When the lease cannot be renewed, another worker may have the job, and the work
// stops. When the database cannot be reached, nothing is reported and the lease runs
// out by itself. When the context ends, for shutdown or because the job was called
// off, the job is handed back. A handler that panics fails its attempt.
//
// So a handler may be cut off anywhere and see a job again, and what it does must be
// harmless when done twice; where it saves something to the database, the attempt
// guards it.
//
// # The leader
//
// Maintenance is for all nodes and done by one: the leader, which holds a lease
// in the database and renews it every third of its length. [Leader.Run] runs on
// every node. While the node leads, each [Task] runs in a loop of its own. When
// the lease can't be renewed, the tasks are stopped before it runs out, and
// another node, which has looked for that, takes over. A node that is stopped
// in order gives the lease up when its tasks have ended.
//
// Limits: a process that stood still for longer than the lease, or a task that
// does not heed its context, may still do something when another node leads. So
// a task must be harmless when it runs twice, or on two nodes at once.
package work
