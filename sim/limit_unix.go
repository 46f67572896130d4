//go:build unix && !linux

package sim

import "syscall"

// raiseFileLimit says how many files may be open; the Go runtime has raised it
// to the hard limit already.
func raiseFileLimit() uint64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 256
	}
	return uint64(l.Cur)
}
