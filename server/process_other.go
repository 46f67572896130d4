//go:build !linux && !darwin

package server

import (
	"time"

	"ballast/unit"
)

func cpuTime() unit.Opt[time.Duration]        { return unit.None[time.Duration]() }
func openFiles() (open, most unit.Opt[int])   { return unit.None[int](), unit.None[int]() }
func residentMemory() unit.Opt[int64]         { return unit.None[int64]() }
func diskSpace(string) (f, s unit.Opt[int64]) { return unit.None[int64](), unit.None[int64]() }
