package main

import (
	"fmt"
	"log/slog"
	"strings"

	"ballast/config"
)

type configCmd struct {
	Check  configCheck  `cmd:"" help:"Say what is wrong in the configuration, and where."`
	Print  configPrint  `cmd:"" help:"Print the whole configuration in force, each key explained. Secrets are left out."`
	Schema configSchema `cmd:"" help:"Print the JSON schema of the configuration file, for editors."`
}

type (
	configCheck  struct{}
	configPrint  struct{}
	configSchema struct{}
)

func (configCheck) Run(c *common, s *streams) error {
	cfg, problems := c.load()
	if len(problems) == 0 {
		// What only the outside can tell: variables, files, register maps.
		if _, err := cfg.Keyring(); err != nil {
			problems = append(problems, config.Problem{Place: "credentials", Message: err.Error()})
		}
		if _, err := plans(cfg.Power); err != nil {
			problems = append(problems, config.Problem{Place: "power", Message: strings.TrimPrefix(err.Error(), errUsage.Error()+": ")})
		}
		h := house{cfg: cfg, log: slog.New(slog.DiscardHandler)}
		if _, err := h.sources(); err != nil {
			problems = append(problems, config.Problem{Place: "plant", Message: strings.TrimPrefix(err.Error(), errUsage.Error()+": ")})
		}
	}
	if c.JSON {
		if problems == nil {
			problems = []config.Problem{}
		}
		if err := s.json(map[string]any{"ok": len(problems) == 0, "problems": problems}); err != nil {
			return err
		}
	}
	if err := config.Problems(problems); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if !c.JSON {
		fmt.Fprintln(s.out, "The configuration is sound.")
	}
	return nil
}

func (configPrint) Run(c *common, s *streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(cfg)
	}
	_, err = fmt.Fprint(s.out, config.Annotated(cfg))
	return err
}

func (configSchema) Run(s *streams) error {
	_, err := s.out.Write(config.Schema())
	return err
}
