package main

import (
	"context"
	"net/http"
)

func (h *house) metrics(context.Context) (http.Handler, func()) { return nil, func() {} }
