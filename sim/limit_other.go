//go:build !unix

package sim

// raiseFileLimit says how many sockets to count on where no limit is told.
func raiseFileLimit() uint64 { return 16384 }
