package main

import (
	"context"
	"net/http"

	"ballast/config"
	"ballast/sim"
)

func (h *house) metrics(context.Context) (http.Handler, func()) { return nil, func() {} }
func (h *house) plant(ctx context.Context) error                { <-ctx.Done(); return nil }
func gear(*sim.Site) (a, b []config.ModbusDevice)               { return nil, nil }
