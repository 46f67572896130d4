package main

import (
	"context"
	"net/http"

	"ballast/plant"
)

func (h *house) metrics(context.Context) (http.Handler, func()) { return nil, func() {} }
func (h *house) brokers() ([]plant.Source, error)               { return nil, nil }
