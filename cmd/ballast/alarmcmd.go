package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"ballast/server"
)

type alarmCmd struct {
	List    alarmListCmd    `cmd:"" help:"List alarms, the most urgent first." default:"withargs"`
	Ack     alarmAckCmd     `cmd:"" help:"Take an alarm on: nobody else is told."`
	Silence alarmSilenceCmd `cmd:"" help:"Keep an alarm quiet for a while."`
}

type alarmListCmd struct {
	All      bool   `help:"Those that are over, too, newest first."`
	Severity string `enum:"info,minor,major,critical" default:"info" help:"Only this severity and worse (info, minor, major, critical)."`
	Limit    int    `default:"100" help:"How many at most, with --all."`
}

func (c *alarmListCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := common.connect()
	if err != nil {
		return err
	}
	state := "open"
	if c.All {
		state = "all"
	}
	var rows []server.AlarmRow
	if err := cl.call(ctx, "GET", fmt.Sprintf("/api/v1/alarms?state=%s&severity=%s&limit=%d", state, c.Severity, c.Limit), nil, &rows); err != nil {
		return err
	}
	if common.JSON {
		return s.json(rows)
	}
	if len(rows) == 0 {
		fmt.Fprintln(s.out, "No alarms.")
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSEVERITY\tSINCE\tSTATE\tALARM")
	for _, r := range rows {
		state := r.Phase
		switch {
		case r.Phase != "open":
		case r.AckedAt > 0:
			state = "taken on by " + r.AckedBy
		case r.Quiet != "":
			state = "quiet"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", r.ID, r.Severity, time.Unix(r.Since, 0).UTC().Format("2006-01-02 15:04 UTC"), state, r.Title)
	}
	return w.Flush()
}

type alarmAckCmd struct {
	ID   int64  `arg:"" help:"Number of the alarm."`
	Note string `help:"What you are about to do."`
}

func (c *alarmAckCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := common.connect()
	if err != nil {
		return err
	}
	var out server.AlarmBody
	if err := cl.call(ctx, "POST", fmt.Sprintf("/api/v1/alarms/%d/acknowledge", c.ID), map[string]string{"note": c.Note}, &out); err != nil {
		return err
	}
	if common.JSON {
		return s.json(out)
	}
	fmt.Fprintf(s.out, "Alarm %d is taken on by %s: %s\n%s\n", out.ID, out.AckedBy, out.Title, out.Press)
	return nil
}

type alarmSilenceCmd struct {
	ID     int64         `arg:"" help:"Number of the alarm."`
	For    time.Duration `default:"2h" help:"How long."`
	Reason string        `required:"" help:"Why."`
}

func (c *alarmSilenceCmd) Run(ctx context.Context, common *common, s *streams) error {
	if c.For < time.Minute {
		return fmt.Errorf("%w: --for: at least a minute", errUsage)
	}
	cl, err := common.connect()
	if err != nil {
		return err
	}
	var out struct {
		Until time.Time `json:"until"`
	}
	if err := cl.call(ctx, "POST", fmt.Sprintf("/api/v1/alarms/%d/silence", c.ID), map[string]any{"minutes": int(c.For.Minutes()), "reason": c.Reason}, &out); err != nil {
		return err
	}
	if common.JSON {
		return s.json(out)
	}
	fmt.Fprintf(s.out, "Alarm %d is quiet until %s.\n", c.ID, out.Until.UTC().Format("2006-01-02 15:04 UTC"))
	return nil
}

// connect finds the running server of this configuration's data folder.
func (c *common) connect() (*client, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	return connect(cfg.Data)
}
