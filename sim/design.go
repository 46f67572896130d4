package sim

import (
	"math"

	"ballast/miner"
	"ballast/unit"
)

// Nominal conditions: what a nameplate is measured at, here.
const (
	nominalInlet = 25.0 // °C
	nominalDuty  = 0.6  // of the fans
	nominalFlow  = 1.0  // of the coolant, as a share of what the model wants
	airRise      = 15.0 // K, from intake to exhaust
	chipRise     = 14.0 // K, from heat sink to chip
	psuRise      = 25.0 // K, above the inlet
)

// Electrical constants that all rigs share.
const (
	leakShare  = 0.12  // of board power at the chips' target temperature
	leakFold   = 35.0  // K for leakage to grow e-fold; gives the 5-7 % daily swing seen on T21
	voltFloor  = 0.88  // of nominal: boards accept no less
	voltSlope  = 0.262 // relative volts per relative clock, from a LuxOS profile table (S19k Pro)
	idleShare  = 0.15  // of dynamic power when powered without work
	errorFloor = 1.5e-4
	errorFold  = 0.008 // relative volts below need for errors to grow e-fold
	errorHeat  = 4e-4  // relative volts needed more per K above target
)

const (
	maxBoards = 8
	maxFans   = 8
)

// design is what a rig's model implies: the constants of its physics, scaled so
// that at nominal conditions it draws and hashes what its nameplate says. Each
// rig is a little better or worse than its design; see grade.
type design struct {
	boards, chips, fans int
	cooling             miner.Cooling

	clock, volts, core float64 // Hz, board volts, chip volts at ratio 1
	wall, hash         float64 // nameplate W and TH/s

	dynamic, leak float64 // W of one board at ratio 1, target temperature
	control       float64 // W of the control board
	fanMax        float64 // W of one fan at full speed
	rpmMax        float64
	rated         float64 // W out of the PSU
	psuOhm        float64 // Ω of droop
	asleep        float64 // W at the wall, asleep

	chipR, sinkR float64 // K/W of one board: chip to sink, sink to air (or coolant) at nominal flow
	chipC, sinkC float64 // J/K
	carry        float64 // W/K that the air at full duty, or the coolant at nominal flow, carries off
	litres       float64 // L/min wanted, when cooled by liquid

	target, hot, limit float64 // °C of the hottest chip: held by fans, throttled above, stopped above
	inlet              float64 // °C the nameplate is at
}

// chipClass holds what follows from the chip: clock, board volts, chip volts
// and the temperature that firmware steers to.
func chipClass(m miner.Model) (clock, volts, core, target float64) {
	switch m.ChipType {
	case "BM1366":
		clock, volts, core, target = 590e6, 13.5, 0.31, 75
	case "BM1368", "BM1370", "BM1373":
		clock, volts, core, target = 490e6, 13.1, 0.30, 86 // 90-97 °C is normal on an S21
	case "BM1387":
		clock, volts, core, target = 650e6, 8.8, 0.42, 80
	default:
		clock, volts, core, target = 545e6, 13.2, 0.33, 74
	}
	switch m.Make {
	case "MicroBT":
		clock, volts, core, target = 625e6, 13.4, 0.32, 78
	case "Canaan":
		clock, volts, core, target = 610e6, 13.16, 0.32, 74
	}
	if small(m) {
		volts, core, target = 5, 1.15, 60
		clock = 525e6
	}
	return clock, volts, core, target
}

// small tells desk miners from racked ones.
func small(m miner.Model) bool { return m.Power > 0 && m.Power < 300 }

// designOf derives the constants. What the table of models leaves open gets
// the usual value of its kind.
func designOf(m miner.Model) design {
	d := design{boards: m.Boards, chips: m.Chips, fans: m.Fans, cooling: m.Cooling, wall: float64(m.Power), hash: float64(m.Hashrate)}
	if d.wall <= 0 {
		d.wall = 3300
		m.Power = 3300
	}
	if d.hash <= 0 {
		d.hash = d.wall / 30
	}
	if d.boards <= 0 {
		d.boards = 3
		if small(m) {
			d.boards = 1
		}
	}
	d.boards = min(d.boards, maxBoards)
	if d.chips <= 0 {
		d.chips = 100
		if small(m) {
			d.chips = 1
		}
	}
	if d.cooling == "" {
		d.cooling = miner.Air
	}
	switch {
	case d.cooling != miner.Air:
		d.fans = 0
	case d.fans <= 0 && small(m):
		d.fans = 1
	case d.fans <= 0 && m.Make == "Bitmain":
		d.fans = 4
	case d.fans <= 0:
		d.fans = 2
	}
	d.fans = min(d.fans, maxFans)

	d.clock, d.volts, d.core, d.target = chipClass(m)
	d.control = min(10, d.wall*0.05)
	d.asleep = min(25, d.wall*0.1)
	d.rpmMax = 6200
	if m.Make == "MicroBT" || m.Make == "Canaan" {
		d.rpmMax = 7400
	}
	if d.fans > 0 {
		d.fanMax = d.wall * 0.048 / float64(d.fans)
	}
	d.rated = d.wall * 1.1
	out := psuOutput(d.wall, d.rated)
	fans := float64(d.fans) * d.fanMax * cube(nominalDuty)
	board := (out - d.control - fans) / float64(d.boards)
	d.dynamic, d.leak = board*(1-leakShare), board*leakShare
	d.psuOhm = 0.05 / (out / d.volts) // 50 mV at full load

	total := board * float64(d.boards)
	d.inlet = nominalInlet
	half := airRise / 2
	switch d.cooling {
	case miner.Air:
		d.carry = total / airRise / nominalDuty
	case miner.Hydro:
		d.inlet, d.target = 35, 62
		half = 4 // K: half of 8 K across the cold plates
		d.carry = total / 8
		d.litres = d.carry / (4186 * 1.0 / 60) // 1 kg/L of water
	default:
		d.inlet, d.target = 42, 68
		half = 3
		d.carry = total / 6
		d.litres = d.carry / (2100 * 0.82 / 60) // a dielectric oil
	}
	rise := min(chipRise, (d.target-d.inlet-half)*0.4)
	d.chipR = rise / board
	d.sinkR = (d.target - d.inlet - half - rise) / board
	d.chipC = 15 / d.chipR
	tau := 150.0
	if d.cooling != miner.Air {
		tau = 60
	}
	d.sinkC = tau / d.sinkR
	d.hot, d.limit = d.target+12, d.target+24
	if d.cooling != miner.Air {
		d.hot, d.limit = d.target+18, d.target+30
	}
	return d
}

// psuLoss is what a supply of the given rating turns to heat at out W: fixed,
// proportional and square parts that give 96 % at half and 95 % at full load.
func psuLoss(out, rated float64) float64 {
	x := out / rated
	return rated * (0.006 + 0.015*x + 0.030*x*x)
}

// psuOutput inverts out + psuLoss(out) = in.
func psuOutput(in, rated float64) float64 {
	a, b, c := 0.030/rated, 1.015, 0.006*rated-in
	return (-b + math.Sqrt(b*b-4*a*c)) / (2 * a)
}

// need is the relative voltage that a relative clock needs.
func need(ratio float64) float64 { return max(voltFloor, 1+voltSlope*(ratio-1)) }

// coolness is how much cooler than their target chips run below nominal clock,
// K for the whole way down: fans slow down only so far.
const coolness = 25

// wallAt is the nominal wall power at a relative clock: what the firmware's own
// table says.
func (d *design) wallAt(ratio float64) float64 {
	v := need(ratio)
	down := max(1-ratio, 0)
	board := d.dynamic*ratio*v*v + d.leak*v*v*math.Exp(-coolness*down/leakFold)
	duty := max(nominalDuty-0.035*coolness*down, lowDuty)
	out := board*float64(d.boards) + d.control + float64(d.fans)*d.fanMax*cube(duty)
	return out + psuLoss(out, d.rated)
}

// Bounds of the relative clock that any set-point can lead to.
const (
	minRatio = 0.02
	maxRatio = 1.45
)

// ratioFor inverts wallAt by bisection.
func (d *design) ratioFor(wall float64) float64 {
	lo, hi := minRatio, maxRatio
	for range 40 {
		mid := (lo + hi) / 2
		if d.wallAt(mid) < wall {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

func cube(x float64) float64 { return x * x * x }

// Relative clocks of the work modes.
const (
	lowRatio  = 0.76
	highRatio = 1.065
)

func modeRatio(mode string) (float64, bool) {
	switch mode {
	case miner.ModeLow:
		return lowRatio, true
	case miner.ModeNormal, "":
		return 1, true
	case miner.ModeHigh:
		return highRatio, true
	}
	return 0, false
}

// grade is how one rig differs from its design.
type grade struct {
	hash, power float64            // of the whole
	board       [maxBoards]float64 // hash of each board
	sensor      [maxBoards]float64 // K, offset of its sensors
	fan         [maxFans]float64   // speed
	meter       float64            // error of its power reading
	percent     float64            // error of the quick percentage
	beside      [maxBoards]float64 // K, chip spread
}

const (
	drawGrade stream = iota + 1
	drawBoard
	drawSensor
	drawFan
	drawTempo
	drawHash5s
	drawHash1m
	drawHash15m
	drawTemp
	drawRPM
	drawShare
	drawShareEnd // counters use two streams each
	drawReject
	drawRejectEnd
	drawStale
	drawStaleEnd
	drawError
	drawErrorEnd
	drawBest
	drawChip
	drawChipDead
	drawMains
	drawSerial
	drawLast
	drawPart
	drawLead
	drawMode
	drawShock
	drawWeather
	drawPlace
	drawRepair
	drawSoft
	drawMarket
)

func gradeOf(seed uint64) grade {
	g := grade{
		hash: 1 + 0.008*gauss(seed, drawGrade, 0), power: 1 + 0.012*gauss(seed, drawGrade, 1),
		meter: 1 + 0.008*gauss(seed, drawGrade, 2), percent: 1 + 0.02*gauss(seed, drawGrade, 3),
	}
	for i := range maxBoards {
		g.board[i] = 1 + 0.008*gauss(seed, drawBoard, int64(i))
		g.sensor[i] = 0.7 * gauss(seed, drawSensor, int64(i))
		g.beside[i] = 1.5 * gauss(seed, drawSensor, int64(i)+maxBoards)
	}
	for i := range maxFans {
		g.fan[i] = 1 + 0.015*gauss(seed, drawFan, int64(i))
	}
	return g
}

// limits are what firmwares accept as watts: half to 110 % of nameplate.
func (d *design) limits() Limits {
	p := unit.Power(d.wall)
	return Limits{Min: p * 0.5, Default: p, Max: p * 1.1}
}
