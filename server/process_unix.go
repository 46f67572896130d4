//go:build linux || darwin

package server

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ballast/unit"
)

// cpuTime is what this process used so far.
func cpuTime() unit.Opt[time.Duration] {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return unit.None[time.Duration]()
	}
	return unit.Some(time.Duration(u.Utime.Nano() + u.Stime.Nano()))
}

// openFiles counts descriptors, and tells how many there may be.
func openFiles() (open, most unit.Opt[int]) {
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		if list, err := os.ReadDir(dir); err == nil {
			open = unit.Some(len(list))
			break
		}
	}
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err == nil {
		most = unit.Some(int(min(l.Cur, 1<<30)))
	}
	return open, most
}

// residentMemory is what the system says that this process holds.
func residentMemory() unit.Opt[int64] {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return unit.None[int64]()
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return unit.None[int64]()
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return unit.None[int64]()
	}
	return unit.Some(pages * int64(os.Getpagesize()))
}

// diskSpace is what is free to us on the disk of path, and its size.
func diskSpace(path string) (free, size unit.Opt[int64]) {
	var st syscall.Statfs_t
	if path == "" || syscall.Statfs(path, &st) != nil {
		return unit.None[int64](), unit.None[int64]()
	}
	block := int64(st.Bsize) //nolint:unconvert // an int32 on some systems
	return unit.Some(int64(st.Bavail) * block), unit.Some(int64(st.Blocks) * block)
}
