// Ballast runs a bitcoin mining company's machines, power and debt as one
// system. This command is flags, configuration and wiring; the work is done in
// the rooms it imports.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
)

// version is set by the release build: -ldflags "-X main.version=v1.2.3".
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Main(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Main is the whole command, for tests. It returns the exit status: 0 done, 1
// failed, 2 wrong usage or configuration.
func Main(ctx context.Context, args []string, out, errs io.Writer) int {
	var c cli
	exit := -1
	said := &output{w: out}
	parser, err := kong.New(&c, kong.Name("ballast"), kong.Writers(out, errs), kong.UsageOnError(), kong.Exit(func(code int) { exit = code; panic(exited{}) }),
		kong.Description("Runs a bitcoin mining company's machines, power and debt as one system."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Vars{"version": version},
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&streams{out: said, err: errs}), kong.Bind(&c.common))
	if err != nil {
		fmt.Fprintln(errs, "ballast:", err)
		return 1
	}
	kongcompletion.Register(parser)
	code := run(parser, args, errs, &exit)
	if err := said.failed(); err != nil && code == 0 {
		fmt.Fprintln(errs, "ballast: writing the output:", err)
		return 1
	}
	return code
}

// output remembers the first failure of writing, so that a command whose output
// did not fit on the disk does not end as if all were well.
type output struct {
	w   io.Writer
	mu  sync.Mutex
	err error
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.err = cmp.Or(o.err, err)
	}
	return n, err
}

func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

type exited struct{}

func run(parser *kong.Kong, args []string, errs io.Writer, exit *int) (code int) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(exited); !ok {
				panic(p)
			}
			code = *exit
		}
	}()
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(errs, "ballast:", err)
		if pe, ok := errors.AsType[*kong.ParseError](err); ok {
			fmt.Fprintf(errs, "Try: ballast %s--help\n", commandOf(pe))
		}
		return 2
	}
	err = k.Run()
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		return 130
	}
	fmt.Fprintln(errs, "ballast:", err)
	if hint := hintFor(err); hint != "" {
		fmt.Fprintln(errs, hint)
	}
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

func commandOf(pe *kong.ParseError) string {
	if pe.Context != nil && pe.Context.Command() != "" {
		return pe.Context.Command() + " "
	}
	return ""
}
