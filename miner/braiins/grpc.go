package braiins

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"ballast/miner"
	"ballast/unit"
)

// grpcPort is the public API's over gRPC.
const grpcPort = 50051

// grpcAPI speaks the public API over gRPC, with messages of our own tables; see
// protobuf.go.
type grpcAPI struct {
	target miner.Target
	token  string

	mu   sync.Mutex
	conn *grpc.ClientConn
}

func newGRPC(t miner.Target) *grpcAPI { return &grpcAPI{target: t} }

const (
	serviceMiner       = "/braiins.bos.v1.MinerService/"
	servicePerformance = "/braiins.bos.v1.PerformanceService/"
	servicePool        = "/braiins.bos.v1.PoolService/"
	serviceActions     = "/braiins.bos.v1.ActionsService/"
	serviceConfig      = "/braiins.bos.v1.ConfigurationService/"
)

// method is a gRPC method that reads, by the name of its reply.
type method struct {
	path   string
	answer message
	stream bool // only the first answer is waited for
	open   bool // asks for no token
}

var grpcMethods = map[string]method{
	"version":                     {path: "/braiins.bos.ApiVersionService/GetApiVersion", answer: msgVersion, open: true},
	"miner_details":               {path: serviceMiner + "GetMinerDetails", answer: msgDetails},
	"miner_stats":                 {path: serviceMiner + "GetMinerStats", answer: msgStats},
	"miner_hw_hashboards":         {path: serviceMiner + "GetHashboards", answer: msgHashboards},
	"miner_errors":                {path: serviceMiner + "GetErrors", answer: msgErrors},
	"miner_status":                {path: serviceMiner + "GetMinerStatus", answer: msgStatus, stream: true},
	"cooling_state":               {path: "/braiins.bos.v1.CoolingService/GetCoolingState", answer: msgCooling},
	"performance_tuner_state":     {path: servicePerformance + "GetTunerState", answer: msgTunerState},
	"performance_target_profiles": {path: servicePerformance + "ListTargetProfiles", answer: msgProfiles},
	"configuration_miner":         {path: serviceConfig + "GetMinerConfiguration", answer: msgConfiguration},
	"configuration_constraints":   {path: serviceConfig + "GetConstraints", answer: msgConstraints},
	"actions_locate":              {path: serviceActions + "GetLocateDeviceStatus", answer: msgLocate},
	"network":                     {path: "/braiins.bos.v1.NetworkService/GetNetworkInfo", answer: msgNetwork},
	"license_license":             {path: "/braiins.bos.v1.LicenseService/GetLicenseState", answer: msgLicense},
	"pools":                       {path: servicePool + "GetPoolGroups", answer: msgPools},
}

func (c *grpcAPI) generation() string { return "grpc" }

func (c *grpcAPI) plan() []ask { return publicPlan }

func (c *grpcAPI) close() {
	c.mu.Lock()
	conn := c.conn
	c.conn = nil
	c.mu.Unlock()
	if conn != nil {
		_ = conn.Close()
	}
}

// fetch asks for one reply, in the JSON that REST gives.
func (c *grpcAPI) fetch(ctx context.Context, name string) ([]byte, error) {
	m := grpcMethods[name]
	raw, err := c.call(ctx, m, nil)
	if err != nil {
		return nil, err
	}
	out, err := m.answer.toJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w: %w", name, miner.ErrGarbage, err)
	}
	if name == "miner_details" && gjson.GetBytes(out, "status").Int() == 0 {
		return c.addStatus(ctx, out)
	}
	return out, nil
}

// addStatus puts the status into details of a version that has it in a stream
// only (before 24.03).
func (c *grpcAPI) addStatus(ctx context.Context, details []byte) ([]byte, error) {
	raw, err := c.call(ctx, grpcMethods["miner_status"], nil)
	if err != nil {
		return details, nil //nolint:nilerr // the rest is worth having
	}
	s, err := msgStatus.toJSON(raw)
	if err != nil {
		return details, nil //nolint:nilerr
	}
	n := gjson.GetBytes(s, "status").Raw
	return append(details[:len(details)-1], (`,"status":` + n + "}")...), nil
}

// call sends a request with a token, and with a new one when the old has
// expired.
func (c *grpcAPI) call(ctx context.Context, m method, request []byte) ([]byte, error) {
	if m.open {
		return c.invoke(ctx, m, request)
	}
	fresh := false
	if c.token == "" {
		if err := c.login(ctx); err != nil {
			return nil, err
		}
		fresh = true
	}
	raw, err := c.invoke(ctx, m, request)
	if err == nil || fresh || !errors.Is(err, miner.ErrDenied) {
		return raw, err
	}
	if err := c.login(ctx); err != nil {
		return nil, err
	}
	return c.invoke(ctx, m, request)
}

// login gets a token: in the answer since 24.04, in its header before.
func (c *grpcAPI) login(ctx context.Context) error {
	c.token = ""
	user, password, err := signIn(c.target.Credentials)
	if err != nil {
		return err
	}
	request := appendText(appendText(nil, 1, user), 2, password)
	var header metadata.MD
	raw, err := c.invoke(ctx, method{path: "/braiins.bos.v1.AuthenticationService/Login"}, request, grpc.Header(&header))
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	out, err := msgLogin.toJSON(raw)
	if err != nil {
		return fmt.Errorf("signing in: %w: %w", miner.ErrGarbage, err)
	}
	c.token = gjson.GetBytes(out, "token").Str
	if words := header.Get("authorization"); c.token == "" && len(words) > 0 {
		c.token = words[0]
	}
	if c.token == "" {
		return fmt.Errorf("signing in: %w: no token in the reply", miner.ErrGarbage)
	}
	return nil
}

// invoke makes one call.
func (c *grpcAPI) invoke(ctx context.Context, m method, request []byte, options ...grpc.CallOption) ([]byte, error) {
	conn, err := c.connect()
	if err != nil {
		return nil, err
	}
	if c.token != "" && !m.open {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", c.token)
	}
	var answer []byte
	if m.stream {
		answer, err = firstOf(ctx, conn, m.path, request)
	} else {
		err = conn.Invoke(ctx, m.path, &request, &answer, options...)
	}
	if err != nil {
		err = fmt.Errorf("asking %s: %w", m.path[strings.LastIndexByte(m.path, '/')+1:], grpcError(ctx, err))
		if errors.Is(err, miner.ErrUnreachable) {
			c.close() // the next call connects at once, without waiting out a back-off
		}
	}
	return answer, err
}

// firstOf waits for the first answer of a stream.
func firstOf(ctx context.Context, conn *grpc.ClientConn, path string, request []byte) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, path)
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(&request); err != nil {
		return nil, err
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	var answer []byte
	err = stream.RecvMsg(&answer)
	return answer, err
}

func (c *grpcAPI) connect() (*grpc.ClientConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		return c.conn, nil
	}
	conn, err := grpc.NewClient("passthrough:///"+c.target.Address(grpcPort),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return c.target.DialPort(ctx, grpcPort) }),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{}), grpc.MaxCallRecvMsgSize(mostReply)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: time.Second, Multiplier: 1.6, MaxDelay: 10 * time.Second}, MinConnectTimeout: 3 * time.Second}),
		grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithIdleTimeout(2*time.Minute),
		grpc.WithReadBufferSize(4<<10), grpc.WithWriteBufferSize(4<<10),
	)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", miner.ErrUnreachable, err)
	}
	c.conn = conn
	return conn, nil
}

// rawCodec passes encoded messages through.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) ([]byte, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("a %T is no encoded message", v)
	}
	return *b, nil
}

func (rawCodec) Unmarshal(data []byte, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("a %T is no encoded message", v)
	}
	*b = append([]byte(nil), data...)
	return nil
}

// grpcError puts a status into the terms of [miner].
func grpcError(ctx context.Context, err error) error {
	s := status.Convert(err)
	kind := miner.ErrRefused
	switch s.Code() {
	case codes.Unauthenticated, codes.PermissionDenied:
		kind = miner.ErrDenied
	case codes.Unimplemented:
		kind = miner.ErrUnsupported
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", miner.ErrUnreachable, context.Cause(ctx))
		}
		kind = miner.ErrUnreachable
	case codes.ResourceExhausted:
		kind = miner.ErrBusy
	}
	return fmt.Errorf("%w: %s", kind, s.Message())
}

// usableGRPC tells whether an API version has the services that we speak: those
// before 1.0.0-beta.2 (BOS 23.08) were named and numbered differently.
func usableGRPC(version []byte) bool {
	v := gjson.ParseBytes(version)
	if v.Get("major").Int() > 1 || v.Get("minor").Int() > 0 || v.Get("patch").Int() > 0 {
		return true
	}
	switch pre, n, _ := strings.Cut(v.Get("pre").Str, "."); pre {
	case "alpha":
		return false
	case "beta":
		return n != "" && n != "0" && n != "1"
	}
	return v.Get("major").Int() == 1
}

// saveAndApply is a SaveAction: keep the setting and put it into force.
const saveAndApply = 2

// apply sends a setting.
func (c *grpcAPI) apply(ctx context.Context, s miner.Setting, k known) error {
	act := func(path string, request []byte) error {
		_, err := c.call(ctx, method{path: path}, request)
		return err
	}
	save := appendVarint(nil, 1, saveAndApply)
	switch s.Kind {
	case miner.SetPower, miner.SetProfile:
		power, rate := s.Power, unit.Hashrate(0)
		if s.Kind == miner.SetProfile {
			power, rate, _ = profileTarget(s.Profile)
		}
		if rate > 0 {
			raw, err := c.call(ctx, method{path: servicePerformance + "SetHashrateTarget"}, appendMessage(save, 2, quantity(rate.TH())))
			if err != nil {
				return err
			}
			return c.takenFrom(raw, msgHashrateTarget, "hashrate_target.terahash_per_second", rate.TH(), "TH/s")
		}
		raw, err := c.call(ctx, method{path: servicePerformance + "SetPowerTarget"}, appendMessage(save, 2, appendVarint(nil, 1, uint64(power))))
		if err != nil {
			return err
		}
		return c.takenFrom(raw, msgPowerTarget, "power_target.watt", float64(uint64(power)), "W")
	case miner.SetSleep:
		return act(serviceActions+"PauseMining", nil)
	case miner.SetWake:
		if k.stopped {
			return act(serviceActions+"Start", nil)
		}
		return act(serviceActions+"ResumeMining", nil)
	case miner.SetReboot:
		return act(serviceActions+"Reboot", nil)
	case miner.SetRestart:
		return act(serviceActions+"Restart", nil)
	case miner.SetLocate:
		on := uint64(0)
		if s.On {
			on = 1
		}
		return act(serviceActions+"SetLocateDeviceStatus", appendVarint(nil, 1, on))
	case miner.SetPools:
		err := act(servicePool+"SetPoolGroups", appendMessage(save, 2, groupMessage("", k.group, s.Pools)))
		if errors.Is(err, miner.ErrUnsupported) { // before 24.06
			return c.replaceGroups(ctx, s.Pools, k.group)
		}
		return err
	}
	return miner.ErrUnsupported
}

func (c *grpcAPI) takenFrom(raw []byte, m message, path string, want float64, unit string) error {
	out, err := m.toJSON(raw)
	if err != nil {
		return fmt.Errorf("reading the answer: %w: %w", miner.ErrGarbage, err)
	}
	return taken(gjson.GetBytes(out, path), want, unit)
}

// replaceGroups sets the first pool group and removes the others, where they
// cannot be set all at once.
func (c *grpcAPI) replaceGroups(ctx context.Context, pools []miner.PoolSetting, name string) error {
	raw, err := c.fetch(ctx, "configuration_miner")
	if err != nil {
		return err
	}
	var uids []string
	gjson.GetBytes(raw, "pool_groups").ForEach(func(_, g gjson.Result) bool {
		uids = append(uids, g.Get("uid").Str)
		return true
	})
	save := appendVarint(nil, 1, saveAndApply)
	if len(uids) == 0 {
		_, err := c.call(ctx, method{path: servicePool + "CreatePoolGroup"}, appendMessage(save, 2, groupMessage("", name, pools)))
		return err
	}
	if _, err := c.call(ctx, method{path: servicePool + "UpdatePoolGroup"}, appendMessage(save, 2, groupMessage(uids[0], name, pools))); err != nil {
		return err
	}
	for _, uid := range uids[1:] {
		if _, err := c.call(ctx, method{path: servicePool + "RemovePoolGroup"}, appendText(appendVarint(nil, 1, saveAndApply), 2, uid)); err != nil {
			return err
		}
	}
	return nil
}

// groupMessage is a PoolGroupConfiguration. uid is "" for a new group.
func groupMessage(uid, name string, pools []miner.PoolSetting) []byte {
	var b []byte
	if uid != "" {
		b = appendText(b, 1, uid)
	}
	b = appendText(b, 2, name)
	b = appendMessage(b, 3, appendVarint(nil, 1, 1)) // quota
	for _, p := range pools {
		m := appendText(appendText(nil, 2, p.URL), 3, p.User)
		if p.Password != "" {
			m = appendText(m, 4, string(p.Password))
		}
		b = appendMessage(b, 5, appendVarint(m, 5, 1))
	}
	return b
}
